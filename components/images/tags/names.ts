import parse from "semver/functions/parse.js";
import type { SemVer } from "semver";

/** What a run publishes, by the settings of the same names. */
export interface Release {
  /** Semantic version without a leading "v" or build metadata: `1.4.2`, `2.0.0-rc.1`. */
  version?: string | undefined;
  /** Full git commit: 40 lowercase hexadecimal digits. */
  revision?: string | undefined;
  /** Day of the commit, `YYYY-MM-DD`, if the commit is the tip of main. */
  releaseDate?: string | undefined;
}

/** The tag of the latest build: the index of its platforms, or its one image. */
export const BUILD_TAG = "build";

/** The tag of the tip of main. */
export const EDGE_TAG = "edge";

/** Prefix of the tag of a withdrawn version: `withdrawn-1.4.3`. */
const WITHDRAWN = "withdrawn";

/**
 * Prefixes of the tags that keep a version from expiring: versions, `latest`, `edge` and the working tags. A cleanup
 * policy can only match prefixes.
 */
export const KEPT_TAG_PREFIXES: readonly string[] = ["v", "latest", EDGE_TAG, BUILD_TAG, WITHDRAWN];

/** Longest tag that a registry accepts (OCI distribution specification: `[\w][\w.-]{0,127}`). */
const LONGEST_TAG = 128;

/** Length of the longest prefix of a version in a working tag. */
const LONGEST_PREFIX = platformTag("linux/amd64", { version: "" }).length;

/** Length of the commit tag. */
const SHORT_REVISION = 7;

/** `v1.4.2`: an alias of `1.4.2`, by which cleanup keeps the version. */
export const prefixedTag = (version: string): string => `v${version}`;

/** The tags of a version that never move: `1.4.2` and `v1.4.2`. */
export const ownTags = (version: string): string[] => [version, prefixedTag(version)];

/** `build-1.4.2`: the build of a version. Every image gets it before any own tag of the version. */
export const versionBuildTag = (version: string): string => `${BUILD_TAG}-${version}`;

/** `withdrawn-1.4.3`: excludes the version from floating tags. On one image it counts for all. */
export const withdrawnTag = (version: string): string => `${WITHDRAWN}-${version}`;

/**
 * `build-amd64`: the image of a platform. `build-deps-amd64`: one of its stages. `build-amd64-1.4.2`: the image of a
 * version.
 */
export function platformTag(platform: string, of: { stage?: string; version?: string } = {}): string {
  const architecture = platform.replace(/^linux\//, "").replaceAll("/", "-");
  return [BUILD_TAG, of.stage, architecture, of.version].filter((part) => part !== undefined).join("-");
}

/** Whether a tag is for runs only, not for pulls. */
export function isWorkingTag(tag: string): boolean {
  return tag === BUILD_TAG || tag.startsWith(`${BUILD_TAG}-`);
}

/** `abc123f` */
export const commitTag = (revision: string): string => revision.slice(0, SHORT_REVISION);

/** A floating tag with its versions. */
export interface Line {
  /** `1.4`, `1` or `latest`. */
  tag: string;
  holds: (version: string) => boolean;
}

const stable = (holds: (other: SemVer) => boolean) => (text: string) => {
  const other = parsed(text);
  return other.prerelease.length === 0 && holds(other);
};

/** The line of all stable versions. */
export const LATEST: Line = { tag: "latest", holds: stable(() => true) };

/**
 * Returns the lines of a stable version, the narrowest first. A prerelease has none. There is no line `0`, because
 * versions 0.x promise no compatibility.
 */
export function lines(version: string): Line[] {
  const { major, minor, prerelease } = parsed(version);
  if (prerelease.length > 0) return [];
  return [
    { tag: `${major}.${minor}`, holds: stable((other) => other.major === major && other.minor === minor) },
    ...(major > 0 ? [{ tag: String(major), holds: stable((other) => other.major === major) }] : []),
    LATEST,
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

/** Returns why a text is not a valid version; undefined for a valid one. */
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

/** Returns why a text is not a full commit; undefined for a valid one. */
export function revisionProblem(revision: string): string | undefined {
  if (/^[0-9a-f]{40}$/.test(revision)) return undefined;
  return "must be a full git commit, 40 lowercase hexadecimal digits, as `git rev-parse HEAD` prints";
}

/** Returns why a text is not a date; undefined for a valid one. */
export function releaseDateProblem(date: string): string | undefined {
  const form = "must be a date YYYY-MM-DD such as 2025-01-10";
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return form;
  const day = new Date(`${date}T00:00:00Z`);
  const exists = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
  return exists ? undefined : `${form}, and there is no such day in the calendar`;
}

/** A row of the documents' table of tags. */
export interface TagRow {
  /** An example. */
  tag: string;
  is: string;
  moves: string;
}

/** Every kind of tag that people pull. */
export const TAG_ROWS: readonly TagRow[] = [
  { tag: "1.4.2", is: "a release", moves: "no" },
  { tag: prefixedTag("1.4.2"), is: "the same", moves: "no" },
  {
    tag: "1.4",
    is: "the latest fix of a minor release",
    moves: "with each fix; back if a version is withdrawn",
  },
  { tag: "1", is: "the latest minor release of a major one; there is no `0`", moves: "likewise" },
  { tag: "latest", is: "the latest stable release", moves: "likewise" },
  { tag: "2.0.0-rc.1", is: "a prerelease, which moves no other tag", moves: "no" },
  { tag: "abc123f", is: "a commit", moves: "if it is built again; expires" },
  { tag: "2025-01-10", is: "the last build of main on that day", moves: "until the day ends; expires" },
  { tag: "edge", is: "the tip of main", moves: "with every push to main" },
];
