/** Most entries of the top level that `ls` shows. */
const MOST_AT_TOP = 30;

/** Code, and the folders that it is in; other files are named as their tools want them. */
const CODE = /\.(ts|cjs|mjs|js|sh)$/;

/** One form: words in lower case with hyphens between them, and dots before the endings. */
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

/** Code whose file or folder is not named in kebab-case. */
export function nameViolations(files: readonly string[]): string[] {
  return files
    .filter((file) => CODE.test(file) && file.split("/").some((part) => !KEBAB.test(part)))
    .map((file) => `name: ${file} is not in kebab-case`);
}

/** A top level that is too long to be read. */
export function topLevelViolations(files: readonly string[]): string[] {
  const entries = new Set(
    files.map((file) => file.split("/")[0] ?? "").filter((name) => !name.startsWith(".")),
  );
  return entries.size <= MOST_AT_TOP
    ? []
    : [
        `top level: ${entries.size} entries; allowed are ${MOST_AT_TOP}: move one into the room of its subject`,
      ];
}
