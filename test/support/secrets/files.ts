import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

export interface SeenFile {
  path: string;
  /** Differs after each change of the file. */
  version: string;
}

const READABLE = 0o004;
const PASSABLE = 0o001;

/** Scanned with any mode, because people share these files. */
const ALWAYS = ["state", "logs", "pulumi/logs"];

/** Downloads. */
const NEVER = ["cache"];

/** The files of a sandbox that must not contain secrets: state, logs, and files that all users can read. */
export function exposedFiles(root: string): SeenFile[] {
  return below(root, root, true);
}

function below(root: string, folder: string, open: boolean): SeenFile[] {
  // A test may have removed the folder.
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    const name = relative(root, path);
    if (NEVER.includes(name)) return [];
    const always = ALWAYS.some((each) => name === each || name.startsWith(`${each}/`));
    // The file may have been removed.
    const stat = statSync(path, { throwIfNoEntry: false });
    if (entry.isDirectory() && stat) {
      const passable = open && (stat.mode & PASSABLE) !== 0;
      const isParent = ALWAYS.some((each) => each.startsWith(`${name}/`));
      return passable || always || isParent ? below(root, path, passable) : [];
    }
    if (!entry.isFile() || !stat || !(always || (open && (stat.mode & READABLE) !== 0))) return [];
    return [{ path: name, version: `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.mode}` }];
  });
}

/** The content of a file; undefined if it is gone or compressed. */
export function readExposed(root: string, { path }: SeenFile): Buffer | undefined {
  try {
    const content = readFileSync(join(root, path));
    return content[0] === 0x1f && content[1] === 0x8b ? undefined : content;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
