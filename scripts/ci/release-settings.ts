import { execFileSync } from "node:child_process";
import compare from "semver/functions/compare.js";
import prerelease from "semver/functions/prerelease.js";
import { versionProblem } from "../../components/images/tags.ts";

/** What a workflow knows about what it publishes. */
export interface GitState {
  /** Full ref, `refs/heads/main` or `refs/tags/v1.4.2`. */
  ref: string;
  /** Full commit. */
  commit: string;
  /** Day of the commit, in UTC, `YYYY-MM-DD`; not today, so that a second run publishes the same. */
  date: string;
  /** All tags of the repository. */
  tags: readonly string[];
}

/**
 * The release settings of what a workflow publishes: of a tag `v1.4.2` its version, of a branch the
 * commit and its day. A stable version below another one that is tagged is a backport.
 * @throws when the tag is no version.
 */
export function releaseSettings({ ref, commit, date, tags }: GitState): Record<string, string> {
  if (!ref.startsWith("refs/tags/")) return { revision: commit, releaseDate: date };
  const tag = ref.slice("refs/tags/".length);
  const version = versionOf(tag);
  if (version === undefined) throw new Error(`the tag ${tag} is no version to publish: name it like v1.4.2`);
  if (prerelease(version) !== null) return { version };
  const released = tags.map(versionOf).filter((other) => other !== undefined);
  const newer = released.some((other) => prerelease(other) === null && compare(other, version) > 0);
  return newer ? { version, backport: "true" } : { version };
}

/** What this checkout knows about a ref and a commit. */
export function gitState(ref: string, commit: string): GitState {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { encoding: "utf8", env: { ...process.env, TZ: "UTC" } }).trim();
  return {
    ref,
    commit,
    date: git("show", "--no-patch", "--date=format-local:%F", "--format=%cd", commit),
    tags: git("tag", "--list").split("\n"),
  };
}

function versionOf(tag: string): string | undefined {
  const version = tag.replace(/^v/, "");
  return tag.startsWith("v") && versionProblem(version) === undefined ? version : undefined;
}
