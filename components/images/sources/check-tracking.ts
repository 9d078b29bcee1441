import { type Dirent, lstatSync, readdirSync, realpathSync } from "node:fs";
import * as path from "node:path";
import type { Findings, Problem } from "../../../problems/problem.ts";
import { configSet } from "../../../problems/setting-commands.ts";
import { shellWord, shownName } from "../../../problems/wording.ts";
import { type GitRepository, repositoryOf, type TrackedFile, viewByGit } from "./git-view.ts";
import { type IgnoreRules, readIgnoreRules } from "./ignore-rules.ts";
import type { CatalogueImage } from "../catalogue.ts";
import { inPackages, searchFiles, type SecretFile, secretName } from "./secret-files.ts";

/** How the images of a build are published. */
export interface Purpose {
  /** Whether everyone can pull them; see {@link isPublicRegistry}. */
  isPublic: boolean | "unknown";
  version?: string | undefined;
  revision?: string | undefined;
}

/** The settings that make a registry public; invalid ones are undefined. */
export interface RegistrySettings {
  manageRegistry?: boolean;
  publicAccess?: boolean;
  readers?: readonly string[];
}

/** Whether everyone can pull. The settings do not say so for a registry that the stack does not manage. */
export function isPublicRegistry(settings: RegistrySettings): Purpose["isPublic"] {
  const { manageRegistry, publicAccess, readers = [] } = settings;
  if (manageRegistry === false) return "unknown";
  return publicAccess === true || readers.includes("allAuthenticatedUsers");
}

/** The most names in a message. */
const MOST_NAMES = 8;

/** A build context with its ignore file. */
interface BuildContext {
  image: CatalogueImage;
  /** Path by the settings. */
  context: string;
  /** Path without symbolic links. */
  folder: string;
  rules: IgnoreRules;
}

/**
 * Compares the files that builds see with those that git tracks.
 * @param images images whose sources exist.
 */
export async function checkTracking(
  sourceDir: string,
  images: readonly CatalogueImage[],
  purpose: Purpose,
): Promise<Findings> {
  const builds = images.map((image): BuildContext => {
    const context = path.join(sourceDir, image.context);
    const rules = readIgnoreRules(context, path.join(context, image.dockerfile));
    return { image, context, folder: realpathSync(context), rules };
  });
  const repositories = await viewByGit(builds.map(({ folder }) => folder));
  const tracked = new Set(repositories.flatMap((repository) => [...repository.tracked.keys()]));
  const folders = foldersOf(tracked);
  const unreadable = repositories.filter(({ error }) => error !== undefined);
  const isUnreadable = ({ folder }: BuildContext): boolean =>
    // An unreadable submodule makes the context around it unreadable too.
    unreadable.some(({ root }) => root === repositoryOf(folder) || root.startsWith(folder + path.sep));
  const unknown = builds.filter((build) => !isUnreadable(build) && !folders.has(build.folder));
  const findings: Findings = { problems: [], warnings: [] };
  for (const build of builds) {
    const isInGit = !unknown.includes(build);
    const untracked = isUnreadable(build) ? [] : untrackedIn(build, tracked, folders);
    const found = await checkContext(build, untracked, isInGit, purpose);
    findings.problems.push(...found.problems);
    findings.warnings.push(...found.warnings);
  }
  const gitErrors = unreadable.map((repository) => gitProblem(repository, purpose));
  (isForOthers(purpose) ? findings.problems : findings.warnings).push(...gitErrors);
  if (unknown.length > 0) findings.warnings.push(unknownProblem(sourceDir, unknown));
  const seen = seenBy(builds);
  for (const repository of repositories) findings.warnings.push(...differences(repository, seen, purpose));
  return findings;
}

/** Whether people without access to the sources can get the image. */
function isForOthers({ isPublic, version }: Purpose): boolean {
  return isPublic !== false || version !== undefined;
}

/** All folders above files. */
function foldersOf(files: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const file of files) {
    for (let at = path.dirname(file); !folders.has(at); at = path.dirname(at)) folders.add(at);
  }
  return folders;
}

/** An untracked file that a build sees. Paths are relative to the context. */
interface Untracked {
  file: string;
  /** The file, or the highest folder above it without a tracked file, with a slash at the end. */
  entry: string;
}

function untrackedIn(
  { folder, rules }: BuildContext,
  tracked: ReadonlySet<string>,
  folders: ReadonlySet<string>,
): Untracked[] {
  const found: Untracked[] = [];
  const walk = (at: string, whole: string | undefined): void => {
    const items = itemsIn(path.join(folder, at));
    // A folder that cannot be read counts as an untracked file.
    if (items === undefined) found.push({ file: at, entry: whole ?? `${at}/` });
    for (const item of items ?? []) {
      const file = at === "" ? item.name : `${at}/${item.name}`;
      const ignored = rules.ignores(file);
      if (!item.isDirectory()) {
        // A new ignore file already applies before it is tracked.
        if (!ignored && !tracked.has(path.join(folder, file)) && !file.endsWith(".dockerignore"))
          found.push({ file, entry: whole ?? file });
      } else if (!ignored || rules.takesBack) {
        const entry = whole ?? (folders.has(path.join(folder, file)) ? undefined : `${file}/`);
        // Git's folder and dependencies contain many files. Each is one entry.
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

async function checkContext(
  build: BuildContext,
  untracked: readonly Untracked[],
  isInGit: boolean,
  purpose: Purpose,
): Promise<Findings> {
  const named = untracked.flatMap(({ file }) => {
    const rule = secretName(file);
    return rule === undefined ? [] : [{ file, rule }];
  });
  const isNamed = (file: string) => named.some((one) => one.file === file);
  if (!isForOthers(purpose)) {
    const entries = untracked.map(({ file, entry }) => (isNamed(file) ? file : entry));
    return { problems: [], warnings: contextWarning(build, isInGit ? entries : []) };
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
    warnings: [...unreadWarning(build, unread), ...contextWarning(build, isInGit ? entries : [])],
  };
}

function seenBy(builds: readonly BuildContext[]): (file: string) => boolean {
  return (file) =>
    builds.some(
      ({ folder, rules }) =>
        file.startsWith(folder + path.sep) && !rules.ignores(file.slice(folder.length + 1)),
    );
}

function secretsProblem(
  { image, context, rules }: BuildContext,
  secrets: readonly SecretFile[],
  purpose: Purpose,
): Problem {
  const files = listed(secrets.map(({ file, rule }) => `${file} (${rule})`));
  return {
    where: shownName(context),
    found: `untracked files that look like secrets, in the build of ${image.name}: ${files}`,
    allowed: `no such file in an image that ${describeReach(purpose)}; track a file in git if the image needs it`,
    fix: ignoreCommand(
      context,
      rules,
      secrets.map(({ file }) => file),
    ),
  };
}

/** Completes "an image that ...". */
function describeReach({ isPublic, version }: Purpose): string {
  if (isPublic === true) return "everyone can pull";
  return version === undefined
    ? "everyone may be able to pull (the stack does not manage the registry)"
    : `is published as version ${version}`;
}

function gitProblem({ root, error }: GitRepository, purpose: Purpose): Problem {
  const { message = "", fix = "" } = error ?? {};
  const image = isForOthers(purpose) ? `an image that ${describeReach(purpose)}` : "an image";
  return {
    where: shownName(root),
    found: `sources that git cannot compare with a commit: ${shownName(message)}`,
    allowed: `for ${image}, sources whose untracked files git can list`,
    fix,
  };
}

function unknownProblem(sourceDir: string, builds: readonly BuildContext[]): Problem {
  const names = builds.map(({ image }) => image.name).join(", ");
  return {
    where: shownName(sourceDir),
    found: `sources of ${names} outside of any git repository: every file counts as untracked`,
    allowed: "a clone, so that other machines build the same",
    fix: configSet("sourceDir", "PATH"),
  };
}

function unreadWarning({ image, context, rules }: BuildContext, unread: readonly string[]): Problem[] {
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

function contextWarning({ image, context, rules }: BuildContext, entries: readonly string[]): Problem[] {
  const untracked = [...new Set(entries)].sort();
  if (rules.file !== undefined && untracked.length === 0) return [];
  const found = [
    rules.file === undefined ? `no ignore file, so the build of ${image.name} sees all files` : "",
    untracked.length > 0
      ? `in the build of ${image.name}, files that git does not track: ${listed(untracked)}`
      : "",
  ];
  const lines =
    rules.file === undefined ? [...new Set([...untracked, "**/.env", "**/node_modules"])] : untracked;
  return [
    {
      where: shownName(rules.file ?? context),
      found: found.filter((part) => part !== "").join("; "),
      allowed:
        "files that git tracks; otherwise the same commit gives different builds on different machines",
      fix: ignoreCommand(context, rules, lines),
    },
  ];
}

/** The command that adds files to the ignore file. */
function ignoreCommand(context: string, { file, text }: IgnoreRules, paths: readonly string[]): string {
  const target = shellWord(file ?? path.join(context, ".dockerignore"));
  const lines = paths.map((one) => shellWord(one.startsWith("**/") ? one : ignoreLine(one)));
  const newLine = text === "" || text.endsWith("\n") ? "" : `echo >>${target} && `;
  return `${newLine}printf '%s\\n' ${lines.join(" ")} >>${target}`;
}

/** Escapes a path for an ignore file. */
function ignoreLine(entry: string): string {
  return entry.replace(/\/$/, "").replace(/[\\*?[\]]|^[#!]/g, String.raw`\$&`);
}

/**
 * Reports files of a repository that differ from git's.
 * @param seen whether a build sees a file. It is slow, so only few files are checked.
 */
function differences(
  { root, tracked, changed, notCompared }: GitRepository,
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
      `uncommitted changes in sources that are published as ${release ?? ""}`,
      "committed sources",
      `${git} commit --all   # or, to put them away: ${git} stash`,
    ],
    [
      skipped,
      "files that git does not compare or has not checked out",
      "committed sources",
      [...new Set(skipped.map((file) => `${git} ${notCompared.get(file) ?? ""}`))].join(" && "),
    ],
    [
      endings,
      "Windows line endings in files that have Unix line endings in git",
      "the files as git has them; otherwise scripts fail in a container, and the build differs",
      checkOutCommand(git),
    ],
    [
      modes.map(({ file }) => file),
      "file modes that differ from git's",
      "git's modes, 644 and 755",
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

/** A file with another mode than in git. */
interface OtherMode {
  file: string;
  /** The mode in git. */
  mode: number;
  /** Whether the mode differs in the permission to execute. */
  program: boolean;
}

function otherMode([file, { mode }]: [string, TrackedFile]): OtherMode[] {
  // Links have no mode, and Windows has none at all.
  const found = process.platform === "win32" ? undefined : lstatSync(file, { throwIfNoEntry: false });
  if (found?.isFile() !== true || (found.mode & 0o777) === mode) return [];
  return [{ file, mode, program: (found.mode & 0o100) !== (mode & 0o100) }];
}

function modeCommand(git: string, root: string, modes: readonly OtherMode[]): string {
  if (modes.length > MOST_NAMES) {
    return modes.some(({ program }) => program)
      ? "clone the sources on a file system that keeps modes; in WSL, below your home folder"
      : `${git} ls-files -z | (cd ${shellWord(root)} && xargs -0 chmod u=rwX,go=rX)`;
  }
  return modes.map(({ file, mode }) => `chmod ${mode.toString(8)} ${shellWord(file)}`).join(" && ");
}

/** The command that checks out all files again, if there are no changes to lose. */
function checkOutCommand(git: string): string {
  return `${git} diff --quiet HEAD && ${git} config core.autocrlf input && ${git} rm -rq --cached . && ${git} reset -q --hard`;
}

function listed(files: readonly string[]): string {
  const more = files.length > MOST_NAMES ? ` and ${files.length - MOST_NAMES} more` : "";
  return `${files.slice(0, MOST_NAMES).map(shownName).join(", ")}${more}`;
}
