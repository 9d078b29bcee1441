import { existsSync, realpathSync } from "node:fs";
import * as path from "node:path";
import { runProgram } from "./programs.ts";

/** What git knows of folders below its repository. All paths are relative to the repository's folder. */
export interface GitView {
  /** The repository's folder. */
  root: string;
  /** Files that git does not track; a folder of which it tracks nothing is one entry. */
  untracked: string[];
  /** Tracked files that differ from the commit. */
  changed: string[];
  tracked: TrackedFile[];
}

/** A file as git keeps it. */
export interface TrackedFile {
  path: string;
  /** Whether it may be executed; a link is neither. */
  kind: "file" | "program" | "link";
  /** Whether the working tree has other line endings than git keeps, where nothing asks for them. */
  otherEndings: boolean;
}

/** Looks at folders of one repository; undefined where they are in none, or where git cannot tell. */
export async function viewByGit(folders: readonly string[]): Promise<GitView | undefined> {
  const places = folders.map((folder) => realpathSync(folder));
  const [first] = places;
  const root = first === undefined ? undefined : repositoryOf(first);
  if (root === undefined) return undefined;
  const within = places
    .map((place) => path.relative(root, place) || ".")
    .filter((place) => !place.startsWith(".."));
  const git = (...args: string[]) =>
    runProgram("git", [
      "-C",
      root,
      "--no-optional-locks",
      "--literal-pathspecs",
      ...args,
      "-z",
      "--",
      ...within,
    ]);
  const [status, files] = await Promise.all([
    git("status", "--porcelain=v1", "--untracked-files=normal", "--ignored=matching"),
    git("ls-files", "--stage", "--eol"),
  ]);
  if (status.code !== 0 || files.code !== 0) return undefined;
  return { root, ...readStatus(status.stdout), tracked: entries(files.stdout).flatMap(readTracked) };
}

/** The folder of the repository that holds a folder; a worktree has a file where a clone has a folder. */
function repositoryOf(folder: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, ".git"))) return at;
    if (at === path.dirname(at)) return undefined;
  }
}

const entries = (text: string): string[] => text.split("\0").filter((entry) => entry !== "");

/** Reads `git status --porcelain=v1 -z`: `XY PATH`, and after a renamed path the one it had. */
function readStatus(text: string): Pick<GitView, "untracked" | "changed"> {
  const untracked: string[] = [];
  const changed: string[] = [];
  const lines = entries(text).values();
  for (const line of lines) {
    const [state, file] = [line.slice(0, 2), line.slice(3)];
    if (state === "??" || state === "!!") untracked.push(file);
    else changed.push(file);
    if (/[RC]/.test(state)) lines.next();
  }
  return { untracked, changed };
}

/** Reads a line of `git ls-files --stage --eol`: `MODE OBJECT STAGE<tab>i/EOL w/EOL attr/ATTRIBUTES<tab>PATH`. */
function readTracked(line: string): TrackedFile[] {
  const [, mode, kept, found, attributes, file] =
    /^(\d+) \S+ \d\ti\/(\S*) +w\/(\S*) +attr\/(.*?) *\t(.*)$/s.exec(line) ?? [];
  if (mode === undefined || file === undefined) return [];
  // A submodule is no file of this repository.
  const kind = ({ "100644": "file", "100755": "program", "120000": "link" } as const)[mode];
  if (kind === undefined) return [];
  const otherEndings =
    kept === "lf" && (found === "crlf" || found === "mixed") && !/eol=crlf/.test(attributes ?? "");
  return [{ path: file, kind, otherEndings }];
}
