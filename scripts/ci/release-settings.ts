import { execFileSync, type StdioOptions } from "node:child_process";
import { versionProblem } from "../../components/images/tags/names.ts";
import { ONE_TIME } from "../../settings/one-time.ts";

export interface GitState {
  /** Full ref, `refs/heads/main` or `refs/tags/v1.4.2`. */
  ref: string;
  /** Full commit. */
  commit: string;
  /** The day of the commit in UTC, `YYYY-MM-DD`; not today, so that a second run publishes the same tags. */
  date: string;
  /** Whether the commit is the tip of its branch; always true for a tag. */
  isTip: boolean;
}

/**
 * The settings that a workflow publishes with: the version of a tag `v1.4.2`; the commit of a branch and, at its tip, the day.
 * Sets every setting for one run, so that those in the stack's file do not count.
 *
 * @throws if the tag is not a version.
 */
export function releaseSettings({ ref, commit, date, isTip }: GitState): Record<string, string> {
  const none = { version: "", ...ONE_TIME };
  if (ref.startsWith("refs/tags/")) return { ...none, version: versionOf(ref.slice("refs/tags/".length)) };
  return { ...none, revision: commit, ...(isTip && { releaseDate: date }) };
}

export interface Checkout {
  ref: string;
  commit: string;
  /** The address or name of the remote to ask for the tip. Default: the commit counts as the tip. */
  remote?: string | undefined;
  /** Default: the current folder. */
  folder?: string;
}

/**
 * Returns the checkout that a workflow publishes. A version's tag publishes the workflow's own checkout. A branch publishes the
 * checkout of the sources if another repository has them.
 *
 * @param folder the folder of the sources' checkout; empty if the sources are in this repository.
 * @param sourcesRemote the remote that has the tip of the sources. Git asks it only if `own` names a remote too.
 */
export function publishedCheckout(
  own: Checkout,
  folder: string,
  sourcesRemote: string | undefined,
): Checkout {
  if (folder === "" || own.ref.startsWith("refs/tags/")) return own;
  const names = git(["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"], folder);
  const [commit = "", ref = ""] = names.split("\n");
  return { ref, commit, folder, remote: own.remote === undefined ? undefined : sourcesRemote };
}

/**
 * Asks git about the ref and the commit of a checkout.
 *
 * @throws if the remote does not answer.
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

/** The commit of a ref. git also lists refs that end with the name, such as `refs/heads/a/refs/heads/main`. */
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

/** Variables that log git in with the job's token; a command line would show it. */
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
    throw new Error(`the tag ${tag} is not a version: use a name such as v1.4.2`);
  return version;
}
