import { execFileSync, type StdioOptions } from "node:child_process";
import { versionProblem } from "../../components/images/tags/names.ts";
import { ONE_TIME } from "../../settings/one-time.ts";

/** What a workflow knows about what it publishes. */
export interface GitState {
  /** Full ref, `refs/heads/main` or `refs/tags/v1.4.2`. */
  ref: string;
  /** Full commit. */
  commit: string;
  /** Day of the commit, in UTC, `YYYY-MM-DD`; not today, so that a second run publishes the same. */
  date: string;
  /** Whether the commit is the tip of its branch; a tag is always. */
  isTip: boolean;
}

/**
 * Everything that says what a workflow publishes: of a tag `v1.4.2` its version, of a branch the commit and, at its tip,
 * the day. Every setting that is for one run is among them, so that none of the stack's file counts.
 * @throws when the tag is no version.
 */
export function releaseSettings({ ref, commit, date, isTip }: GitState): Record<string, string> {
  const none = { version: "", ...ONE_TIME };
  if (ref.startsWith("refs/tags/")) return { ...none, version: versionOf(ref.slice("refs/tags/".length)) };
  return { ...none, revision: commit, ...(isTip && { releaseDate: date }) };
}

/** A ref, the commit that it stood on, and where to ask for it. */
export interface Checkout {
  ref: string;
  commit: string;
  /** Where the ref is looked up: an address, or the name of a remote. Default: the commit counts as the tip. */
  remote?: string | undefined;
  /** Default: this folder. */
  folder?: string;
}

/** What is checked out of the sources where they are another repository's; a branch publishes that. */
export function sourcesCheckout(folder: string, remote: string | undefined): Checkout {
  const [commit = "", ref = ""] = git(["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"], folder).split(
    "\n",
  );
  return { ref, commit, remote, folder };
}

/**
 * What a checkout knows about its ref and its commit.
 * @throws when the remote does not tell.
 */
export function gitState({ ref, commit, remote, folder }: Checkout): GitState {
  return {
    ref,
    commit,
    date: git(["show", "--no-patch", "--date=format-local:%F", "--format=%cd", commit], folder),
    isTip:
      ref.startsWith("refs/tags/") ||
      remote === undefined ||
      tipOf(ref, git(["ls-remote", remote, ref], folder)) === commit,
  };
}

/** The commit of a ref; git lists every ref whose name ends like it, such as `refs/heads/a/refs/heads/main`. */
function tipOf(ref: string, listed: string): string | undefined {
  const lines = listed.split("\n").map((line) => line.split("\t"));
  return lines.find(([, name]) => name === ref)?.[0];
}

function git(args: readonly string[], cwd?: string): string {
  const env = { ...process.env, TZ: "UTC", ...authorization() };
  const stdio: StdioOptions = ["ignore", "pipe", "inherit"];
  return execFileSync("git", args, {
    encoding: "utf8",
    ...(cwd !== undefined && { cwd }),
    env,
    stdio,
  }).trim();
}

/** The job's own token as git's login at GitHub, by variables: a command line is no place for it. */
function authorization(): NodeJS.ProcessEnv {
  const { GITHUB_TOKEN: token, GITHUB_SERVER_URL: server } = process.env;
  if (token === undefined || server === undefined) return {};
  const login = Buffer.from(`x-access-token:${token}`).toString("base64");
  return {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `http.${server}/.extraheader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${login}`,
  };
}

function versionOf(tag: string): string {
  const version = tag.replace(/^v/, "");
  if (!tag.startsWith("v") || versionProblem(version) !== undefined)
    throw new Error(`the tag ${tag} is no version to publish: name it like v1.4.2`);
  return version;
}
