import parse from "semver/functions/parse.js";

/**
 * What a release is called, as the settings say it. Every part is optional: CI publishes main by
 * `revision` and `releaseDate`, a release by `version`, a laptop by none of them.
 */
export interface Release {
  /** Semantic version without a leading "v" and without build metadata: `1.4.2`, `2.0.0-rc.1`. */
  version?: string | undefined;
  /** Full git commit: 40 lowercase hexadecimal digits. */
  revision?: string | undefined;
  /** Calendar date, `YYYY-MM-DD`. */
  releaseDate?: string | undefined;
  /** A fix of an older line: moves that line's tag (`1.3`) and neither the major's nor `latest`. */
  backport?: boolean | undefined;
}

/** The tag that every build is pushed under first; the published tags are then set on its digest. */
export const buildTag = "build";

/**
 * The tags that keep an image from expiring, by how they begin: versions, `latest`, `edge`, and what a run works with.
 * Cleanup has no other way to tell a release: a policy matches tags by prefix alone.
 */
export const KEPT_TAG_PREFIXES: readonly string[] = ["v", "latest", "edge", buildTag];

/** `v1.4.2`: the version again, as people type it, and as cleanup knows it. */
export const prefixedTag = (version: string): string => `v${version}`;

/** Whether a text is a version's own tag. */
export function isVersion(tag: string): boolean {
  return versionProblem(tag) === undefined;
}

/** Longest tag that a registry takes (OCI distribution specification: `[\w][\w.-]{0,127}`). */
const maximumTagLength = 128;

/** Length of the commit tag, as in `git log --oneline` of a small repository. */
const shortRevisionLength = 7;

/**
 * Every tag that a release is published under, most specific first, without repeats:
 *
 * | release | tags |
 * | --- | --- |
 * | version 1.4.2 | `1.4.2` `1.4` `1` `latest` |
 * | version 0.3.1 | `0.3.1` `0.3` `latest` (the majors of 0.x promise nothing, so there is no `0`) |
 * | version 2.0.0-rc.1 | `2.0.0-rc.1` |
 * | version 1.3.9, backport | `1.3.9` `1.3` |
 * | revision abc123f… | `abc123f` `edge`; beside a version only `abc123f` |
 * | releaseDate 2025-01-10 | `2025-01-10` |
 * | none of the three | `latest` |
 *
 * No two kinds of tag can be the same text: a date has dashes and no dots, a version dots, a minor
 * one dot, and a commit that happens to be all digits (`1234567`) could only be taken for a major
 * of seven digits, which {@link versionProblem} refuses.
 *
 * @throws Error with the sentence of the first problem, when a value is badly formed.
 */
export function publishedTags(release: Release): string[] {
  const problem = releaseProblems(release)[0];
  if (problem !== undefined) throw new Error(`${problem.key}: ${problem.message}`);
  const { version, revision, releaseDate } = release;
  const tags: string[] = [];
  if (version !== undefined) tags.push(...versionTags(version, release.backport === true));
  if (revision !== undefined) {
    tags.push(revision.slice(0, shortRevisionLength));
    if (version === undefined) tags.push("edge");
  }
  if (releaseDate !== undefined) tags.push(releaseDate);
  return tags.length > 0 ? tags : ["latest"];
}

/**
 * The one tag of a release that never moves once it is published: its full version, or undefined
 * without one. The rest may move: minor, major, `latest` and `edge` by design, a date when there is
 * a second build that day, a commit when it is built again.
 */
export function immutableTag(release: Release): string | undefined {
  return release.version;
}

function versionTags(version: string, backport: boolean): string[] {
  const parsed = parse(version);
  if (parsed === null) return [];
  if (parsed.prerelease.length > 0) return [version];
  const tags = [version, `${parsed.major}.${parsed.minor}`];
  if (backport) return tags;
  if (parsed.major > 0) tags.push(String(parsed.major));
  return [...tags, "latest"];
}

/** A value of a release that cannot be published, and why. */
export interface ReleaseProblem {
  key: keyof Release;
  /** Says what is allowed, as a clause that follows the key and the value: "must be …". */
  message: string;
}

/** Everything that is wrong with a release, by key; empty when it can be published. */
export function releaseProblems(release: Release): ReleaseProblem[] {
  const { version, revision, releaseDate, backport } = release;
  const problems: ReleaseProblem[] = [];
  const add = (key: keyof Release, message: string | undefined) => {
    if (message !== undefined) problems.push({ key, message });
  };
  if (version !== undefined) add("version", versionProblem(version));
  if (revision !== undefined) add("revision", revisionProblem(revision));
  if (releaseDate !== undefined) add("releaseDate", releaseDateProblem(releaseDate));
  if (backport === true) add("backport", backportProblem(version));
  return problems;
}

/** Why a text is no version to publish, or undefined when it is one. */
export function versionProblem(version: string): string | undefined {
  const form = "must be a semantic version such as 1.4.2 or 2.0.0-rc.1";
  if (version === "") return `${form}, not empty; leave it out to publish without a version`;
  if (/\s/.test(version)) return `${form}, without whitespace`;
  if (version.length > maximumTagLength) {
    return `${form} of at most ${maximumTagLength} characters, because it becomes a tag (it has ${version.length})`;
  }
  if (/^[vV=]/.test(version)) {
    const bare = version.replace(/^[vV=]+/, "");
    return parse(bare)?.version === bare
      ? `${form}: write ${bare}, without ${version.slice(0, -bare.length)}`
      : form;
  }
  const parsed = parse(version);
  if (parsed === null) return form;
  if (parsed.build.length > 0) {
    return `${form}, without build metadata (a tag cannot hold "+"): write ${parsed.version}`;
  }
  if (String(parsed.major).length === shortRevisionLength) {
    return `${form} whose major has not exactly ${shortRevisionLength} digits: its tag ${parsed.major} could be a commit's`;
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

/** Why `backport: true` means nothing beside this version, or undefined when it does. */
export function backportProblem(version: string | undefined): string | undefined {
  if (version === undefined)
    return "takes a version: a backport is a release of an older line, such as 1.3.9";
  const parsed = parse(version);
  if (parsed === null || parsed.prerelease.length === 0) return undefined;
  return `is for stable versions: the prerelease ${version} moves no other tag anyway`;
}
