/** Most visible entries of the top level. */
const MOST_AT_TOP = 30;

/** Code; other files have the names that their tools expect. */
const CODE = /\.(ts|cjs|mjs|js|sh)$/;

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

/** Code files and folders that are not in kebab-case. */
export function nameViolations(files: readonly string[]): string[] {
  return files
    .filter((file) => CODE.test(file) && file.split("/").some((part) => !KEBAB.test(part)))
    .map((file) => `name: ${file} is not in kebab-case`);
}

/** Too many entries at the top level. */
export function topLevelViolations(files: readonly string[]): string[] {
  const entries = new Set(
    files.map((file) => file.split("/")[0] ?? "").filter((name) => !name.startsWith(".")),
  );
  return entries.size <= MOST_AT_TOP
    ? []
    : [
        `top level: ${entries.size} entries; allowed are ${MOST_AT_TOP}: move one into the folder of its subject`,
      ];
}
