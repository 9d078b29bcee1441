import { existsSync } from "node:fs";
import * as path from "node:path";
import { canBeTyped, shellWord } from "../../problems/wording.ts";
import { type Ended, runProgram } from "./programs.ts";

/** What git knows of folders of one repository. All paths are absolute, without symbolic links. */
export interface Repository {
  root: string;
  tracked: ReadonlyMap<string, TrackedFile>;
  /** Tracked files and submodules that differ from the commit. */
  changed: string[];
  /** Files that git is set not to compare, and submodules that are not checked out, with git's command that changes that. */
  notCompared: Map<string, string>;
  /** Why git does not read the repository; the rest is then empty. */
  refusal?: GitRefusal;
}

/** A file as git keeps it. */
export interface TrackedFile {
  mode: 0o644 | 0o755;
  /** The working tree has other line endings than git keeps, and no attribute asks for them. */
  otherEndings: boolean;
}

interface GitRefusal {
  /** Git's own words. */
  said: string;
  fix: string;
}

/** The folder of the repository that holds a folder; a worktree and a submodule have a file `.git`. */
export function repositoryOf(folder: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, ".git"))) return at;
    if (at === path.dirname(at)) return undefined;
  }
}

/**
 * Asks git about folders: each repository once, and the submodules below.
 * @param folders without symbolic links; those outside of any repository are skipped.
 */
export async function viewByGit(folders: readonly string[]): Promise<Repository[]> {
  const byRoot = Map.groupBy(folders, repositoryOf);
  const views = [...byRoot].map(async ([root, within]) =>
    root === undefined ? [] : viewRepository(root, within),
  );
  // A submodule that is a context too comes twice: once as a whole.
  const found = (await Promise.all(views)).flat().sort((a, b) => a.tracked.size - b.tracked.size);
  return [...new Map(found.map((view) => [view.root, view])).values()];
}

async function viewRepository(root: string, folders: readonly string[]): Promise<Repository[]> {
  const within = folders.map((folder) => path.relative(root, folder) || ".");
  const [status, files] = await Promise.all([
    git(root, ["status", "--porcelain=v1", "--untracked-files=no", "--ignore-submodules=dirty"], within),
    git(root, ["ls-files", "-v", "--stage", "--eol"], within),
  ]);
  const tracked = new Map<string, TrackedFile>();
  const view: Repository = { root, tracked, changed: [], notCompared: new Map() };
  const failed = [status, files].find(({ code }) => code !== 0);
  if (failed !== undefined) return [{ ...view, refusal: refusalOf(root, failed) }];
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
    // A small letter: the file is assumed to be unchanged.
    else if (flag?.toUpperCase() !== flag)
      view.notCompared.set(file, `update-index --no-assume-unchanged ${shellWord(name)}`);
  }
  const below = await Promise.all(submodules.map((submodule) => viewRepository(submodule, [submodule])));
  return [view, ...below.flat()];
}

/** Variables that name a repository, which a hook has set, or a person for another one. */
const REPOSITORY_VARIABLES =
  /^GIT_(?:DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE|PREFIX)$/;

/** Runs git without what a repository's configuration could start beside it. */
function git(root: string, args: readonly string[], within: readonly string[]): Promise<Ended> {
  const variables = Object.entries(process.env).filter(([name]) => !REPOSITORY_VARIABLES.test(name));
  const options = ["--no-optional-locks", "--literal-pathspecs"];
  const settings = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
  return runProgram("git", ["-C", root, ...options, ...settings, ...args, "-z", "--", ...within], {
    environment: { ...Object.fromEntries(variables), LC_ALL: "C" },
    milliseconds: 60_000,
  });
}

function refusalOf(root: string, { stderr, trouble }: Ended): GitRefusal {
  if (trouble === "missing")
    return { said: "git is not installed", fix: "install git: https://git-scm.com/downloads" };
  if (trouble === "too slow")
    return { said: "git did not answer within a minute", fix: `git -C ${shellWord(root)} status` };
  const [said = "git failed"] = stderr.split("\n").filter((line) => line.trim() !== "");
  const trust = /^\s*(git config --global --add safe\.directory .+)$/m.exec(stderr)?.[1];
  return {
    said,
    fix:
      trust !== undefined && canBeTyped(trust)
        ? `${trust}   # git then follows that repository's configuration, which can start programs`
        : `git -C ${shellWord(root)} status`,
  };
}

const entries = (text: string): string[] => text.split("\0").filter((entry) => entry !== "");

/** Reads `git status --porcelain=v1 -z`: `XY PATH`, and after a renamed path its former one. */
function changedFiles(text: string): string[] {
  const changed: string[] = [];
  const lines = entries(text).values();
  for (const line of lines) {
    changed.push(line.slice(3));
    if (/[RC]/.test(line.slice(0, 2))) lines.next();
  }
  return changed;
}
