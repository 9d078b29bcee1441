import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { delimiter, dirname } from "node:path";
import { commandsOnPath } from "../../components/images/programs.ts";

/** Replaces a file atomically, unless it has this content already. Creates its folder. */
export async function writeWhole(file: string, content: string, mode = 0o644): Promise<void> {
  if (readText(file) === content) return;
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.new`;
  await writeFile(temporary, content, { mode });
  await rename(temporary, file);
}

/** The same synchronously, and always. */
export function writeWholeSync(file: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, content, { mode });
  renameSync(`${file}.new`, file);
}

/** The content of a file; undefined if it does not exist. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** System folders that some PATHs lack, for example in a root shell by `su`. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** PATH followed by the system folders. */
export function systemPath(env: NodeJS.ProcessEnv = process.env): string {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...new Set([...folders, ...SYSTEM_FOLDERS])].join(delimiter);
}

/** All executables of this name on {@link systemPath}, in its order. */
export function findCommands(name: string): string[] {
  return commandsOnPath(name, systemPath());
}
