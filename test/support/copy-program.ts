import { cp, symlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";

/** Files that the program does not read. */
const ASIDE = ["node_modules", ".git", ".github", ".sandbox", "bench", "docs", "sandbox", "test"];

/**
 * Copies the Pulumi project and its program, for tests that change files of it. Use it with `--cwd FOLDER`.
 */
export async function copyProgram(folder: string): Promise<void> {
  await cp(repositoryRoot, folder, {
    recursive: true,
    filter: (path) => !ASIDE.includes(relative(repositoryRoot, path).split(sep)[0] ?? ""),
  });
  await symlink(join(repositoryRoot, "node_modules"), join(folder, "node_modules"));
}
