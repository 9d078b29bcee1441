import { existsSync, lstatSync, readdirSync, realpathSync } from "node:fs";
import * as path from "node:path";
import type { Problem } from "../../problems/problem.ts";
import { shellWord, shownName } from "../../problems/wording.ts";
import { type GitView, type TrackedFile, viewByGit } from "./git-view.ts";
import { type IgnoreRules, readIgnoreRules } from "./ignore-rules.ts";
import type { CatalogueImage } from "./catalogue.ts";

/** What the sources are built for. */
export interface Purpose {
  /** Everybody may pull what is built. */
  isPublic: boolean;
  /** Built for a version, which stays. */
  version?: string | undefined;
  /** Built for a commit, whose name it gets. */
  revision?: string | undefined;
}

/** What a build would see that other machines do not have, or that nobody should publish. */
export interface Tracking {
  /** What must not be built. */
  problems: Problem[];
  /** What is built all the same. */
  warnings: Problem[];
}

/** Names of files that hold secrets, by convention. */
const SECRET =
  /^(?:\.env(?:\..+)?|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx)|id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.pypirc|\.git-credentials|application_default_credentials\.json|.*service[-_]?account.*\.json|.*credentials.*\.json)$/i;
/** What is named so and meant to be read. */
const EXAMPLE = /^\.env\.(?:example|sample|template|dist)$/i;
/** Packages of others carry keys to test with. */
const PACKAGES = /^(?:node_modules|vendor|\.venv|venv)$/;

/** So many names stand in a message; the rest is a number. */
const SHOWN = 8;

/**
 * Compares what builds would see with what git has. Sources that git does not track as a whole are taken as they are.
 * @param images those whose sources are there.
 */
export async function checkTracking(
  sourceDir: string,
  images: readonly CatalogueImage[],
  purpose: Purpose,
): Promise<Tracking> {
  const builds = images.map((image) => {
    const context = path.join(sourceDir, image.context);
    return { image, context, rules: readIgnoreRules(context, path.join(context, image.dockerfile)) };
  });
  const git = await viewByGit(builds.map(({ context }) => context));
  const tracking: Tracking = { problems: [], warnings: [] };
  for (const { image, context, rules } of builds) {
    const untracked = git === undefined ? [] : untrackedIn(git, context, rules);
    const secrets = untracked.filter(({ secret }) => secret).map(({ file }) => file);
    const mayNotLeave = purpose.isPublic || purpose.version !== undefined;
    if (secrets.length > 0 && mayNotLeave)
      tracking.problems.push(secretsProblem(image, context, rules, secrets, purpose));
    const others = untracked.filter(({ secret }) => !(secret && mayNotLeave)).map(({ entry }) => entry);
    tracking.warnings.push(...contextWarning(image, context, rules, [...new Set(others)]));
  }
  if (git !== undefined) tracking.warnings.push(...differences(git, sees(git, builds), purpose));
  return tracking;
}

/** A file that git does not track and a build sees. */
interface Untracked {
  /** Relative to the context. */
  file: string;
  /** What git calls untracked: the file, or a folder that holds it. */
  entry: string;
  secret: boolean;
}

function untrackedIn(git: GitView, context: string, rules: IgnoreRules): Untracked[] {
  const place = placeIn(git, context);
  const found: Untracked[] = [];
  // git itself does not mention its folder.
  if (existsSync(path.join(context, ".git")) && !rules.ignores(".git"))
    found.push({ file: ".git", entry: ".git", secret: false });
  for (const one of git.untracked) {
    // A context that is not tracked at all is as it is.
    if (`${place}/`.startsWith(`${one.replace(/\/$/, "")}/`)) return [];
    if (place !== "" && !one.startsWith(`${place}/`)) continue;
    const entry = one.slice(place === "" ? 0 : place.length + 1);
    let told = false;
    for (const file of visible(context, entry.replace(/\/$/, ""), rules)) {
      const secret = looksSecret(file);
      if (secret || !told) found.push({ file, entry: secret ? file : entry, secret });
      told ||= !secret;
      if (told && entry.split("/").some((name) => PACKAGES.test(name))) break;
    }
  }
  return found;
}

/** The files at or below a path of a context that a build sees. */
function* visible(context: string, entry: string, rules: IgnoreRules): Generator<string> {
  const folder = lstatSync(path.join(context, entry), { throwIfNoEntry: false })?.isDirectory() === true;
  const ignored = rules.ignores(entry);
  if (!folder) {
    // One that was just made hides what it says all the same.
    if (!ignored && !entry.endsWith(".dockerignore")) yield entry;
  } else if (!ignored || rules.takesBack) {
    for (const name of readdirSync(path.join(context, entry)))
      yield* visible(context, `${entry}/${name}`, rules);
  }
}

function looksSecret(file: string): boolean {
  const names = file.split("/");
  const name = names.at(-1) ?? "";
  return SECRET.test(name) && !EXAMPLE.test(name) && !names.some((one) => PACKAGES.test(one));
}

/** Whether one of the builds sees a file, by its path in the repository. */
function sees(
  git: GitView,
  builds: readonly { context: string; rules: IgnoreRules }[],
): (file: string) => boolean {
  const places = builds.map(({ context, rules }) => ({ place: placeIn(git, context), rules }));
  return (file) =>
    places.some(({ place, rules }) => {
      const below = place === "" ? "" : `${place}/`;
      return file.startsWith(below) && !rules.ignores(file.slice(below.length));
    });
}

/** The context's folder as git calls it. */
function placeIn({ root }: GitView, context: string): string {
  return path.relative(root, realpathSync(context)).split(path.sep).join("/");
}

function secretsProblem(
  image: CatalogueImage,
  context: string,
  rules: IgnoreRules,
  secrets: readonly string[],
  { isPublic, version }: Purpose,
): Problem {
  const what = isPublic ? "everybody may pull" : `is published as version ${version ?? ""}`;
  return {
    where: shownName(context),
    found: `files that look like secrets and that git does not track, in the build of ${image.name}: ${listed(secrets)}`,
    allowed: `none of them in an image that ${what}; one that is meant to be there, tracked by git`,
    fix: ignoreCommand(context, rules, secrets),
  };
}

function contextWarning(
  image: CatalogueImage,
  context: string,
  rules: IgnoreRules,
  untracked: readonly string[],
): Problem[] {
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
 * Tracked files that are here not what git has.
 * @param seen whether a build sees a file; asked for few, since each answer takes its time.
 */
function differences(git: GitView, seen: (file: string) => boolean, purpose: Purpose): Problem[] {
  const release = purpose.version ?? purpose.revision;
  const changed = release === undefined ? [] : git.changed.filter(seen);
  const endings = git.tracked.filter((file) => file.otherEndings && seen(file.path)).map((file) => file.path);
  const modes = git.tracked.flatMap((file) => otherMode(git.root, file)).filter((file) => seen(file.path));
  const where = shownName(git.root);
  const warnings: Problem[] = [];
  if (changed.length > 0) {
    warnings.push({
      where,
      found: `changes that are not committed, in what is published as ${release ?? ""}: ${listed(changed)}`,
      allowed: "sources as a commit has them",
      fix: `git -C ${shellWord(git.root)} stash   # or commit them`,
    });
  }
  if (endings.length > 0) {
    warnings.push({
      where,
      found: `line endings of Windows where git has those of Unix: ${listed(endings)}`,
      allowed:
        "the files as git has them: scripts fail in a container otherwise, and the build is another one",
      fix: renewCommand(git.root),
    });
  }
  if (modes.length > 0) {
    warnings.push({
      where,
      found: `file modes that a build elsewhere does not have: ${listed(modes.map((file) => file.path))}`,
      allowed: "the modes of git, 644 and 755",
      fix: modeCommand(git.root, modes),
    });
  }
  return warnings;
}

/** A file whose mode is not that of git, and the one that it should have. */
interface OtherMode {
  path: string;
  mode: number;
  /** Whether it may be executed where it may not, or the other way round; else only others' rights differ. */
  program: boolean;
}

function otherMode(root: string, { path: file, kind }: TrackedFile): OtherMode[] {
  // A link has none, nor has anything on Windows.
  const found =
    process.platform === "win32" ? undefined : lstatSync(path.join(root, file), { throwIfNoEntry: false });
  const mode = kind === "program" ? 0o755 : 0o644;
  if (found?.isFile() !== true || (found.mode & 0o777) === mode) return [];
  return [{ path: file, mode, program: (found.mode & 0o100) !== (mode & 0o100) }];
}

function modeCommand(root: string, modes: readonly OtherMode[]): string {
  if (modes.length > SHOWN) {
    return modes.some(({ program }) => program)
      ? "clone the sources where the file system keeps modes; in WSL below your home folder"
      : `git -C ${shellWord(root)} ls-files -z | (cd ${shellWord(root)} && xargs -0 chmod u=rwX,go=rX)`;
  }
  return modes
    .map(({ path: file, mode }) => `chmod ${mode.toString(8)} ${shellWord(path.join(root, file))}`)
    .join(" && ");
}

/** Writes every file anew, once nothing can be lost by it. */
function renewCommand(root: string): string {
  const git = `git -C ${shellWord(root)}`;
  return `${git} diff --quiet HEAD && ${git} config core.autocrlf input && ${git} rm -rq --cached . && ${git} reset -q --hard`;
}

function listed(files: readonly string[]): string {
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : "";
  return `${files.slice(0, SHOWN).map(shownName).join(", ")}${more}`;
}
