import parse from "semver/functions/parse.js";
import type { SemVer } from "semver";

/** What a run publishes, as the settings say it. */
export interface Release {
  /** Semantic version without a leading "v" and without build metadata: `1.4.2`, `2.0.0-rc.1`. */
  version?: string | undefined;
  /** Full git commit: 40 lowercase hexadecimal digits. */
  revision?: string | undefined;
  /** Calendar date, `YYYY-MM-DD`. */
  releaseDate?: string | undefined;
  /** The commit is the tip of main, so that `edge` and the day's tag are its own. */
  edge: boolean;
  /** The version is published already, and its floating tags go back to it. */
  rollback: boolean;
  /** The version is published already, and moves to the build in hand. */
  allowVersionOverwrite: boolean;
}

/** The tag that every build is pushed under first; the published tags are then set on its digest. */
export const BUILD_TAG = "build";

/**
 * The tags that keep an image from expiring, by how they begin: versions, `latest`, `edge`, and what a run works with.
 * Cleanup has no other way to tell a release: a policy matches tags by prefix alone.
 */
export const KEPT_TAG_PREFIXES: readonly string[] = ["v", "latest", "edge", BUILD_TAG];

/** Longest tag that a registry takes (OCI distribution specification: `[\w][\w.-]{0,127}`). */
const LONGEST_TAG = 128;

/** Longest of the words that go before a version in a tag of its own: `withdrawn-1.4.3`. */
const LONGEST_PREFIX = "withdrawn-".length;

/** Length of the commit tag, as in `git log --oneline` of a small repository. */
const SHORT_REVISION = 7;

/** `v1.4.2`: the version again, as people type it, and as cleanup knows it. */
export const prefixedTag = (version: string): string => `v${version}`;

/** `build-1.4.2`: the build that a version is published from; set on every image before the first tag of the version. */
export const candidateTag = (version: string): string => `${BUILD_TAG}-${version}`;

/** `withdrawn-1.4.3`: floating tags were taken back from this version; where its own tag is gone, it never comes back. */
export const withdrawnTag = (version: string): string => `withdrawn-${version}`;

/** `abc123f` */
export const commitTag = (revision: string): string => revision.slice(0, SHORT_REVISION);

/** The versions that a floating tag may stand on. */
export interface Line {
  /** `1.4`, `1` or `latest`. */
  tag: string;
  holds: (version: string) => boolean;
}

/**
 * The lines of a stable version, the narrowest first; none of a prerelease. The majors of 0.x promise nothing, so that
 * there is no `0`.
 */
export function lines(version: string): Line[] {
  const { major, minor, prerelease } = parsed(version);
  if (prerelease.length > 0) return [];
  const stable = (holds: (other: SemVer) => boolean) => (text: string) => {
    const other = parsed(text);
    return other.prerelease.length === 0 && holds(other);
  };
  return [
    { tag: `${major}.${minor}`, holds: stable((other) => other.major === major && other.minor === minor) },
    ...(major > 0 ? [{ tag: String(major), holds: stable((other) => other.major === major) }] : []),
    { tag: "latest", holds: stable(() => true) },
  ];
}

/** Whether a text is a version's own tag. */
export function isVersion(tag: string): boolean {
  return versionProblem(tag) === undefined;
}

function parsed(version: string): SemVer {
  const result = parse(version);
  if (result === null) throw new Error(`${version} is no version`);
  return result;
}

/** Why a text is no version to publish, or undefined when it is one. */
export function versionProblem(version: string): string | undefined {
  const form = "must be a semantic version such as 1.4.2 or 2.0.0-rc.1";
  if (version === "") return `${form}, not empty; leave it out to publish without a version`;
  if (/\s/.test(version)) return `${form}, without whitespace`;
  const longest = LONGEST_TAG - LONGEST_PREFIX;
  if (version.length > longest) {
    return `${form} of at most ${longest} characters, because it becomes a tag (it has ${version.length})`;
  }
  if (/^[vV=]/.test(version)) {
    const bare = version.replace(/^[vV=]+/, "");
    return parse(bare)?.version === bare
      ? `${form}: write ${bare}, without ${version.slice(0, -bare.length)}`
      : form;
  }
  const result = parse(version);
  if (result === null) return form;
  if (result.build.length > 0) {
    return `${form}, without build metadata (a tag cannot hold "+"): write ${result.version}`;
  }
  if (String(result.major).length === SHORT_REVISION) {
    return `${form} whose major has not exactly ${SHORT_REVISION} digits: its tag ${result.major} could be a commit's`;
  }
  return undefined;
}

/** Why a text is no commit to publish, or undefined when it is one. */
export function revisionProblem(revision: string): string | undefined {
  if (/^[0-9a-f]{40}$/.test(revision)) return undefined;
  return "must be a full git commit, 40 lowercase hexadecimal digits, as `git rev-parse HEAD` prints";
}

/** Why a text is no date to publish, or undefined when it is one. */
export function releaseDateProblem(date: string): string | undefined {
  const form = "must be a date YYYY-MM-DD such as 2025-01-10";
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return form;
  const day = new Date(`${date}T00:00:00Z`);
  const exists = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
  return exists ? undefined : `${form}, and there is no such day in the calendar`;
}

/** A tag as the documents explain it. */
export interface TagRow {
  /** An example. */
  tag: string;
  is: string;
  moves: string;
}

/** Every kind of tag that people pull, as the tables in the documents have it. */
export const TAG_ROWS: readonly TagRow[] = [
  { tag: "1.4.2", is: "a release", moves: "no" },
  { tag: prefixedTag("1.4.2"), is: "the same", moves: "no" },
  { tag: "1.4", is: "the latest fix of a minor release", moves: "with a fix; back, when one is withdrawn" },
  { tag: "1", is: "the latest minor release of a major one; there is no `0`", moves: "likewise" },
  { tag: "latest", is: "the latest release that is no prerelease", moves: "likewise" },
  { tag: "2.0.0-rc.1", is: "a prerelease, which moves no other tag", moves: "no" },
  { tag: "abc123f", is: "a commit", moves: "only if it is built again; expires" },
  { tag: "2025-01-10", is: "the last build of main on that day", moves: "until the day is over; expires" },
  { tag: "edge", is: "the tip of main", moves: "with every push to main" },
];
