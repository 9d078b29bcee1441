import { existsSync } from "node:fs";
import * as path from "node:path";
import { canBeTyped, shellWord } from "../../../problems/wording.ts";
import { type ProgramResult, runProgram } from "../programs.ts";

/** The state of folders in a git repository. All paths are absolute, without symbolic links. */
export interface GitRepository {
  root: string;
  tracked: ReadonlyMap<string, TrackedFile>;
  /** Tracked files and submodules that differ from the commit. */
  changed: string[];
  /** Files that git does not compare, and submodules that are not checked out, with the git command that fixes it. */
  notCompared: Map<string, string>;
  /** Why git cannot read the repository. The rest is then empty. */
  error?: GitError;
}

/** A file in git's index. */
export interface TrackedFile {
  mode: 0o644 | 0o755;
  /** Whether the working tree has Windows line endings that git does not have and no attribute requires. */
  otherEndings: boolean;
}

interface GitError {
  message: string;
  fix: string;
}

/** Finds the root of the repository that contains a folder. In a worktree and in a submodule, `.git` is a file. */
export function repositoryOf(folder: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, ".git"))) return at;
    if (at === path.dirname(at)) return undefined;
  }
}

/**
 * Reads the repositories of folders, with their submodules.
 * @param folders without symbolic links. Folders outside of any repository are skipped.
 */
export async function viewByGit(folders: readonly string[]): Promise<GitRepository[]> {
  const byRoot = Map.groupBy(folders, repositoryOf);
  const views = [...byRoot].map(async ([root, within]) =>
    root === undefined ? [] : viewRepository(root, within),
  );
  // A submodule that is also a context is found twice. The larger result is complete.
  const found = (await Promise.all(views)).flat().sort((a, b) => a.tracked.size - b.tracked.size);
  return [...new Map(found.map((view) => [view.root, view])).values()];
}

async function viewRepository(root: string, folders: readonly string[]): Promise<GitRepository[]> {
  const within = folders.map((folder) => path.relative(root, folder) || ".");
  const [status, files] = await Promise.all([
    git(root, ["status", "--porcelain=v1", "--untracked-files=no", "--ignore-submodules=dirty"], within),
    git(root, ["ls-files", "-v", "--stage", "--eol"], within),
  ]);
  const tracked = new Map<string, TrackedFile>();
  const view: GitRepository = { root, tracked, changed: [], notCompared: new Map() };
  const failed = [status, files].find(({ code }) => code !== 0);
  if (failed !== undefined) return [{ ...view, error: gitError(root, failed) }];
  view.changed = changedFiles(status.stdout).map((file) => path.join(root, file));
  const submodules: string[] = [];
  for (const line of entries(files.stdout)) {
    // FLAG MODE OBJECT STAGE<tab>i/EOL w/EOL attr/ATTRIBUTES<tab>PATH
    const [, flag, mode, kept, found, attributes = "", name = ""] =
      /^(\S) (\d+) \S+ \d\ti\/(\S*) +w\/(\S*) +attr\/(.*?) *\t(.*)$/s.exec(line) ?? [];
    const file = path.join(root, name);
    if (mode === "160000") {
      if (existsSync(path.join(file, ".git"))) submodules.push(file);
      else view.notCompared.set(file, "submodule update --init");
      continue;
    }
    const isWindows = kept === "lf" && (found === "crlf" || found === "mixed");
    const otherEndings = isWindows && !/eol=crlf/.test(attributes);
    tracked.set(file, { mode: mode === "100755" ? 0o755 : 0o644, otherEndings });
    if (flag?.toUpperCase() === "S") view.notCompared.set(file, "sparse-checkout disable");
    // In lower case: git assumes that the file is unchanged.
    else if (flag?.toUpperCase() !== flag)
      view.notCompared.set(file, `update-index --no-assume-unchanged ${shellWord(name)}`);
  }
  const below = await Promise.all(submodules.map((submodule) => viewRepository(submodule, [submodule])));
  return [view, ...below.flat()];
}

/** Variables that select a repository. A hook or a person may have set them for another one. */
const REPOSITORY_VARIABLES =
  /^GIT_(?:DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE|PREFIX)$/;

/** Runs git without the programs that a repository's configuration can start. */
function git(root: string, args: readonly string[], within: readonly string[]): Promise<ProgramResult> {
  const variables = Object.entries(process.env).filter(([name]) => !REPOSITORY_VARIABLES.test(name));
  const options = ["--no-optional-locks", "--literal-pathspecs"];
  const settings = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
  return runProgram("git", ["-C", root, ...options, ...settings, ...args, "-z", "--", ...within], {
    environment: { ...Object.fromEntries(variables), LC_ALL: "C" },
    milliseconds: 60_000,
  });
}

function gitError(root: string, { stderr, trouble }: ProgramResult): GitError {
  if (trouble === "missing")
    return { message: "git is not installed", fix: "install git: https://git-scm.com/downloads" };
  if (trouble === "too slow")
    return { message: "git did not answer within a minute", fix: `git -C ${shellWord(root)} status` };
  const [message = "git failed"] = stderr.split("\n").filter((line) => line.trim() !== "");
  const trust = /^\s*(git config --global --add safe\.directory .+)$/m.exec(stderr)?.[1];
  return {
    message,
    fix:
      trust !== undefined && canBeTyped(trust)
        ? `${trust}   # git then follows that repository's configuration, which can start programs`
        : `git -C ${shellWord(root)} status`,
  };
}

const entries = (text: string): string[] => text.split("\0").filter((entry) => entry !== "");

/** Parses `git status --porcelain=v1 -z`: `XY PATH`, followed by the old path of a renamed file. */
function changedFiles(text: string): string[] {
  const changed: string[] = [];
  const lines = entries(text).values();
  for (const line of lines) {
    changed.push(line.slice(3));
    if (/[RC]/.test(line.slice(0, 2))) lines.next();
  }
  return changed;
}
