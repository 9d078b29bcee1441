import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { delimiter, dirname } from "node:path";
import { commandsOnPath } from "../../components/images/programs.ts";

/**
 * Writes a file in one step, so that nobody reads half of it, and leaves it alone when it holds this already.
 * Makes its folder. `mode` is that of a new file.
 */
export async function writeWhole(file: string, content: string, mode = 0o644): Promise<void> {
  if (readText(file) === content) return;
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.new`;
  await writeFile(temporary, content, { mode });
  await rename(temporary, file);
}

/** The same at once, for what must be on disk before anything else happens; whatever the file holds. */
export function writeWholeSync(file: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, content, { mode });
  renameSync(`${file}.new`, file);
}

/** The content of a file; undefined when there is none. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** System folders that are not on everybody's PATH (a root shell by `su` lacks them). */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** PATH with the folders of system tools at its end. */
export function systemPath(env: NodeJS.ProcessEnv = process.env): string {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...new Set([...folders, ...SYSTEM_FOLDERS])].join(delimiter);
}

/** Every executable of this name on a PATH that has the folders of system tools at its end, the first found first. */
export function findCommands(name: string): string[] {
  return commandsOnPath(name, systemPath());
}
