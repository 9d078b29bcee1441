import { type Dirent, lstatSync, readdirSync, realpathSync } from "node:fs";
import * as path from "node:path";
import type { Problem } from "../../problems/problem.ts";
import { configSet } from "../../problems/setting-commands.ts";
import { shellWord, shownName } from "../../problems/wording.ts";
import { type Repository, repositoryOf, type TrackedFile, viewByGit } from "./git-view.ts";
import { type IgnoreRules, readIgnoreRules } from "./ignore-rules.ts";
import type { CatalogueImage } from "./catalogue.ts";
import { inPackages, searchFiles, type SecretFile, secretName } from "./secret-files.ts";

/** What the sources are built for. */
export interface Purpose {
  /** Everybody may pull what is built; a stack that does not manage the registry cannot know. */
  isPublic: boolean | "unknown";
  /** Built for a version, which stays. */
  version?: string | undefined;
  /** Built for a commit, whose name it gets. */
  revision?: string | undefined;
}

/** What a build sees that other machines do not have, or that nobody should publish. */
export interface Tracking {
  /** What must not be built. */
  problems: Problem[];
  /** What is built all the same. */
  warnings: Problem[];
}

/** How many names a message shows. */
const SHOWN = 8;

/** A build context, and what its ignore file leaves of it. */
interface Build {
  image: CatalogueImage;
  /** As the settings name it. */
  context: string;
  /** The same without symbolic links. */
  folder: string;
  rules: IgnoreRules;
}

/**
 * Compares what builds see with what git has.
 * @param images those whose sources exist.
 */
export async function checkTracking(
  sourceDir: string,
  images: readonly CatalogueImage[],
  purpose: Purpose,
): Promise<Tracking> {
  const builds = images.map((image): Build => {
    const context = path.join(sourceDir, image.context);
    const rules = readIgnoreRules(context, path.join(context, image.dockerfile));
    return { image, context, folder: realpathSync(context), rules };
  });
  const repositories = await viewByGit(builds.map(({ folder }) => folder));
  const tracked = new Set(repositories.flatMap((repository) => [...repository.tracked.keys()]));
  const folders = foldersOf(tracked);
  const refused = repositories.filter(({ refusal }) => refusal !== undefined);
  const isRefused = ({ folder }: Build): boolean =>
    // A submodule that git refuses makes the context around it unknown too.
    refused.some(({ root }) => root === repositoryOf(folder) || root.startsWith(folder + path.sep));
  const unknown = builds.filter((build) => !isRefused(build) && !folders.has(build.folder));
  const tracking: Tracking = { problems: [], warnings: [] };
  for (const build of builds) {
    const known = !unknown.includes(build);
    const untracked = isRefused(build) ? [] : untrackedIn(build, tracked, folders);
    const found = await contextProblems(build, untracked, known, purpose);
    tracking.problems.push(...found.problems);
    tracking.warnings.push(...found.warnings);
  }
  const refusals = refused.map((repository) => refusalProblem(repository, purpose));
  (mayLeave(purpose) ? tracking.problems : tracking.warnings).push(...refusals);
  if (unknown.length > 0) tracking.warnings.push(unknownProblem(sourceDir, unknown));
  const seen = sees(builds);
  for (const repository of repositories) tracking.warnings.push(...differences(repository, seen, purpose));
  return tracking;
}

/** Whether an image gets to people who do not have the sources, for good. */
function mayLeave({ isPublic, version }: Purpose): boolean {
  return isPublic !== false || version !== undefined;
}

/** Every folder above a file. */
function foldersOf(files: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const file of files) {
    for (let at = path.dirname(file); !folders.has(at); at = path.dirname(at)) folders.add(at);
  }
  return folders;
}

/** A file that git does not track and a build sees; paths are relative to the context. */
interface Untracked {
  file: string;
  /** The file, or the highest folder above it of which git tracks nothing, with a slash at its end. */
  entry: string;
}

function untrackedIn(
  { folder, rules }: Build,
  tracked: ReadonlySet<string>,
  folders: ReadonlySet<string>,
): Untracked[] {
  const found: Untracked[] = [];
  const walk = (at: string, whole: string | undefined): void => {
    const items = itemsIn(path.join(folder, at));
    // Nobody knows what git does not track in a folder that cannot be read.
    if (items === undefined) found.push({ file: at, entry: whole ?? `${at}/` });
    for (const item of items ?? []) {
      const file = at === "" ? item.name : `${at}/${item.name}`;
      const ignored = rules.ignores(file);
      if (!item.isDirectory()) {
        // An ignore file that was just made hides what it names all the same.
        if (!ignored && !tracked.has(path.join(folder, file)) && !file.endsWith(".dockerignore"))
          found.push({ file, entry: whole ?? file });
      } else if (!ignored || rules.takesBack) {
        const entry = whole ?? (folders.has(path.join(folder, file)) ? undefined : `${file}/`);
        // Git's own folder and packages of others hold many files, and are one entry.
        if (item.name === ".git" && !ignored) found.push({ file: `${file}/config`, entry: entry ?? file });
        else if (entry !== undefined && !ignored && inPackages(file)) found.push({ file, entry });
        else walk(file, entry);
      }
    }
  };
  walk("", undefined);
  return found;
}

/** The items of a folder by name; undefined if it cannot be read. */
function itemsIn(folder: string): Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return undefined;
  }
}

/** What is wrong with one context. */
async function contextProblems(
  build: Build,
  untracked: readonly Untracked[],
  isKnown: boolean,
  purpose: Purpose,
): Promise<Tracking> {
  const named = untracked.flatMap(({ file }) => {
    const rule = secretName(file);
    return rule === undefined ? [] : [{ file, rule }];
  });
  const isNamed = (file: string) => named.some((one) => one.file === file);
  if (!mayLeave(purpose)) {
    const entries = untracked.map(({ file, entry }) => (isNamed(file) ? file : entry));
    return { problems: [], warnings: contextWarning(build, isKnown ? entries : []) };
  }
  const others = untracked.filter(({ file }) => !isNamed(file));
  const { secrets, unread } = await searchFiles(
    build.folder,
    others.map(({ file }) => file),
  );
  const all = [...named, ...secrets].sort((a, b) => (a.file < b.file ? -1 : 1));
  const entries = others
    .filter(({ file }) => !secrets.some((one) => one.file === file))
    .map(({ entry }) => entry);
  return {
    problems: all.length === 0 ? [] : [secretsProblem(build, all, purpose)],
    warnings: [...unreadWarning(build, unread), ...contextWarning(build, isKnown ? entries : [])],
  };
}

/** Whether one of the builds sees a file. */
function sees(builds: readonly Build[]): (file: string) => boolean {
  return (file) =>
    builds.some(
      ({ folder, rules }) =>
        file.startsWith(folder + path.sep) && !rules.ignores(file.slice(folder.length + 1)),
    );
}

function secretsProblem(
  { image, context, rules }: Build,
  secrets: readonly SecretFile[],
  purpose: Purpose,
): Problem {
  const files = listed(secrets.map(({ file, rule }) => `${file} (${rule})`));
  return {
    where: shownName(context),
    found: `files that look like secrets and that git does not track, in the build of ${image.name}: ${files}`,
    allowed: `none of them in an image that ${reach(purpose)}; one that is meant to be there, tracked by git`,
    fix: ignoreCommand(
      context,
      rules,
      secrets.map(({ file }) => file),
    ),
  };
}

/** Who gets an image, as the end of a sentence about it. */
function reach({ isPublic, version }: Purpose): string {
  if (isPublic === true) return "everybody may pull";
  return version === undefined
    ? "everybody may be able to pull (another stack manages the registry)"
    : `is published as version ${version}`;
}

function refusalProblem({ root, refusal }: Repository, purpose: Purpose): Problem {
  const { said = "", fix = "" } = refusal ?? {};
  const image = mayLeave(purpose) ? `an image that ${reach(purpose)}` : "an image";
  return {
    where: shownName(root),
    found: `sources that git does not compare with a commit: ${shownName(said)}`,
    allowed: `for ${image}, sources of which git says what it does not track`,
    fix,
  };
}

function unknownProblem(sourceDir: string, builds: readonly Build[]): Problem {
  const names = builds.map(({ image }) => image.name).join(", ");
  return {
    where: shownName(sourceDir),
    found: `sources of ${names} that no git repository has: every file counts as untracked`,
    allowed: "a clone: nothing else says whether another machine builds the same",
    fix: configSet("sourceDir", "PATH"),
  };
}

function unreadWarning({ image, context, rules }: Build, unread: readonly string[]): Problem[] {
  if (unread.length === 0) return [];
  return [
    {
      where: shownName(context),
      found: `untracked files in the build of ${image.name} that are not searched for secrets, because they are large or unreadable: ${listed(unread)}`,
      allowed: "files without secrets",
      fix: ignoreCommand(context, rules, unread),
    },
  ];
}

function contextWarning({ image, context, rules }: Build, entries: readonly string[]): Problem[] {
  const untracked = [...new Set(entries)].sort();
  if (rules.file !== undefined && untracked.length === 0) return [];
  const found = [
    rules.file === undefined ? `no ignore file, so that the build of ${image.name} sees everything` : "",
    untracked.length > 0
      ? `in the build of ${image.name}, what git does not track: ${listed(untracked)}`
      : "",
  ];
  const lines =
    rules.file === undefined ? [...new Set([...untracked, "**/.env", "**/node_modules"])] : untracked;
  return [
    {
      where: shownName(rules.file ?? context),
      found: found.filter((part) => part !== "").join("; "),
      allowed: "what every machine has: else the same commit is another build on another machine",
      fix: ignoreCommand(context, rules, lines),
    },
  ];
}

/** The command that hides files from a build. */
function ignoreCommand(context: string, { file, text }: IgnoreRules, paths: readonly string[]): string {
  const target = shellWord(file ?? path.join(context, ".dockerignore"));
  const lines = paths.map((one) => shellWord(one.startsWith("**/") ? one : ignoreLine(one)));
  const newLine = text === "" || text.endsWith("\n") ? "" : `echo >>${target} && `;
  return `${newLine}printf '%s\\n' ${lines.join(" ")} >>${target}`;
}

/** A path as a line of an ignore file; what has a meaning there is taken as it is after a backslash. */
function ignoreLine(entry: string): string {
  return entry.replace(/\/$/, "").replace(/[\\*?[\]]|^[#!]/g, String.raw`\$&`);
}

/**
 * Files of a repository that differ from what git has.
 * @param seen whether a build sees a file; asked for few, since each answer takes its time.
 */
function differences(
  { root, tracked, changed, notCompared }: Repository,
  seen: (file: string) => boolean,
  purpose: Purpose,
): Problem[] {
  const release = purpose.version ?? purpose.revision;
  const endings = [...tracked].filter(([, { otherEndings }]) => otherEndings).map(([file]) => file);
  const modes = [...tracked].flatMap(otherMode).filter(({ file }) => seen(file));
  const skipped = [...notCompared.keys()].filter(seen);
  const git = `git -C ${shellWord(root)}`;
  const kinds: readonly (readonly [files: string[], found: string, allowed: string, fix: string])[] = [
    [
      release === undefined ? [] : changed,
      `changes that are not committed, in what is published as ${release ?? ""}`,
      "sources as a commit has them",
      `${git} stash   # or commit them`,
    ],
    [
      skipped,
      "what git is set not to compare, or has not checked out",
      "sources as a commit has them",
      [...new Set(skipped.map((file) => `${git} ${notCompared.get(file) ?? ""}`))].join(" && "),
    ],
    [
      endings,
      "line endings of Windows where git has those of Unix",
      "the files as git has them: scripts fail in a container otherwise, and the build is another one",
      renewCommand(git),
    ],
    [
      modes.map(({ file }) => file),
      "file modes that a build elsewhere does not have",
      "the modes of git, 644 and 755",
      modeCommand(git, root, modes),
    ],
  ];
  return kinds.flatMap(([files, found, allowed, fix]) => {
    const names = files.filter(seen).map((file) => path.relative(root, file));
    return names.length === 0
      ? []
      : [{ where: shownName(root), found: `${found}: ${listed(names)}`, allowed, fix }];
  });
}

/** A file whose mode is not that of git, and the one that it should have. */
interface OtherMode {
  file: string;
  mode: number;
  /** The right to execute it differs; else only others' rights do. */
  program: boolean;
}

function otherMode([file, { mode }]: [string, TrackedFile]): OtherMode[] {
  // A link has none, nor has anything on Windows.
  const found = process.platform === "win32" ? undefined : lstatSync(file, { throwIfNoEntry: false });
  if (found?.isFile() !== true || (found.mode & 0o777) === mode) return [];
  return [{ file, mode, program: (found.mode & 0o100) !== (mode & 0o100) }];
}

function modeCommand(git: string, root: string, modes: readonly OtherMode[]): string {
  if (modes.length > SHOWN) {
    return modes.some(({ program }) => program)
      ? "clone the sources where the file system keeps modes; in WSL below your home folder"
      : `${git} ls-files -z | (cd ${shellWord(root)} && xargs -0 chmod u=rwX,go=rX)`;
  }
  return modes.map(({ file, mode }) => `chmod ${mode.toString(8)} ${shellWord(file)}`).join(" && ");
}

/** Writes every file anew, once nothing can be lost by it. */
function renewCommand(git: string): string {
  return `${git} diff --quiet HEAD && ${git} config core.autocrlf input && ${git} rm -rq --cached . && ${git} reset -q --hard`;
}

function listed(files: readonly string[]): string {
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : "";
  return `${files.slice(0, SHOWN).map(shownName).join(", ")}${more}`;
}
