import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** A file as it was when it was looked at. */
export interface SeenFile {
  path: string;
  /** Changes with the file. */
  version: string;
}

const READABLE = 0o004;
const PASSABLE = 0o001;

/** Looked at whatever their modes are: people send these to each other. */
const ALWAYS = ["state", "logs", "pulumi/logs"];

/** Downloads, which are not the sandbox's. */
const NEVER = ["cache"];

/** The files of a sandbox that must hold no secret: state, logs, and what everybody on the machine can read. */
export function exposedFiles(root: string): SeenFile[] {
  return below(root, root, true);
}

function below(root: string, folder: string, open: boolean): SeenFile[] {
  // A test may have taken the folder away: nothing is exposed then.
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    const name = relative(root, path);
    if (NEVER.includes(name)) return [];
    const always = ALWAYS.some((each) => name === each || name.startsWith(`${each}/`));
    // Gone since, or not this user's to read.
    const stat = statSync(path, { throwIfNoEntry: false });
    if (entry.isDirectory() && stat) {
      const passable = open && (stat.mode & PASSABLE) !== 0;
      const onTheWay = ALWAYS.some((each) => each.startsWith(`${name}/`));
      return passable || always || onTheWay ? below(root, path, passable) : [];
    }
    if (!entry.isFile() || !stat || !(always || (open && (stat.mode & READABLE) !== 0))) return [];
    return [{ path: name, version: `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.mode}` }];
  });
}

/** The content of a file; undefined for one that is gone, or is compressed and so shows nothing. */
export function readExposed(root: string, { path }: SeenFile): Buffer | undefined {
  try {
    const content = readFileSync(join(root, path));
    return content[0] === 0x1f && content[1] === 0x8b ? undefined : content;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
