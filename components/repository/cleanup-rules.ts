import { z } from "zod";

/** What cleanup knows of a version of an image: a manifest in the repository, tagged or not. */
export interface StoredVersion {
  /** Name below the repository. */
  image: string;
  /** `sha256:...`. */
  digest: string;
  tags: readonly string[];
  /** Digests of the images that an index refers to. */
  children?: readonly string[];
  /**
   * When it was pushed, which its age counts from; a tag that moves to it later makes it no younger
   * (https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy).
   */
  uploaded: Date;
}

const prefixes = z.array(z.string()).default([]);
const seconds = z.string().transform((duration) => Number.parseFloat(duration));

/**
 * A cleanup policy, as the Artifact Registry API answers it
 * (https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories#cleanuppolicy).
 */
export const cleanupPolicy = z.object({
  action: z.enum(["DELETE", "KEEP"]),
  condition: z
    .object({
      tagState: z.enum(["TAG_STATE_UNSPECIFIED", "TAGGED", "UNTAGGED", "ANY"]).default("ANY"),
      tagPrefixes: prefixes,
      versionNamePrefixes: prefixes,
      packageNamePrefixes: prefixes,
      olderThan: seconds.optional(),
      newerThan: seconds.optional(),
    })
    .optional(),
  mostRecentVersions: z
    .object({ keepCount: z.number().default(0), packageNamePrefixes: prefixes })
    .optional(),
});

export type CleanupPolicy = z.infer<typeof cleanupPolicy>;
type Condition = NonNullable<CleanupPolicy["condition"]>;

/**
 * What Google does when an image is deleted to which an index refers. It was seen to refuse
 * (https://github.com/GoogleCloudPlatform/gcr-cleaner/issues/130), and no document promises that.
 */
export type ChildDeletion = "refused" | "allowed";

/**
 * The versions that the policies delete now, in the order given: those that one deletes and none keeps. A keep policy by
 * itself deletes nothing (https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview).
 */
export function deletedVersions<V extends StoredVersion>(
  versions: readonly V[],
  policies: readonly CleanupPolicy[],
  now: Date,
  childDeletion: ChildDeletion = "refused",
): V[] {
  const chosenTo = (action: CleanupPolicy["action"]): ((version: V) => boolean) => {
    const choosers = policies
      .filter((policy) => policy.action === action)
      .map((policy) => chooser(policy, versions, now));
    return (version) => choosers.some((chooses) => chooses(version));
  };
  const [isDeleted, isKept] = [chosenTo("DELETE"), chosenTo("KEEP")];
  const chosen = versions.filter((version) => isDeleted(version) && !isKept(version));
  if (childDeletion === "allowed" || chosen.length === 0) return chosen;
  const going = new Set<StoredVersion>(chosen);
  const referredTo = new Map<string, Set<string>>();
  for (const version of versions) {
    if (version.children === undefined || going.has(version)) continue;
    const digests = referredTo.get(version.image) ?? new Set();
    for (const digest of version.children) digests.add(digest);
    referredTo.set(version.image, digests);
  }
  return chosen.filter(({ image, digest }) => referredTo.get(image)?.has(digest) !== true);
}

function chooser(
  { condition, mostRecentVersions }: CleanupPolicy,
  versions: readonly StoredVersion[],
  now: Date,
): (version: StoredVersion) => boolean {
  if (condition !== undefined) return (version) => meets(version, condition, now);
  if (mostRecentVersions === undefined) return () => false;
  const { keepCount, packageNamePrefixes } = mostRecentVersions;
  const first = firstRecent(versions, keepCount);
  return ({ image, uploaded }) =>
    begins(image, packageNamePrefixes) && uploaded.getTime() >= (first.get(image) ?? Infinity);
}

/** When the first of the `count` most recent versions of each image was pushed. */
function firstRecent(versions: readonly StoredVersion[], count: number): Map<string, number> {
  const pushed = new Map<string, number[]>();
  for (const { image, uploaded } of versions) {
    const times = pushed.get(image);
    if (times) times.push(uploaded.getTime());
    else pushed.set(image, [uploaded.getTime()]);
  }
  return new Map(
    [...pushed].map(([image, times]) => [
      image,
      count === 0 ? Infinity : (times.sort((a, b) => b - a)[count - 1] ?? -Infinity),
    ]),
  );
}

/**
 * All that is set must be satisfied; of prefixes any
 * (https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories#cleanuppolicycondition).
 */
function meets(version: StoredVersion, condition: Condition, now: Date): boolean {
  const { tagState, tagPrefixes, versionNamePrefixes, packageNamePrefixes, olderThan, newerThan } = condition;
  const age = (now.getTime() - version.uploaded.getTime()) / 1000;
  const tagged = version.tags.length > 0;
  return (
    !(tagState === "TAGGED" && !tagged) &&
    !(tagState === "UNTAGGED" && tagged) &&
    (tagPrefixes.length === 0 || version.tags.some((tag) => begins(tag, tagPrefixes))) &&
    begins(version.digest, versionNamePrefixes) &&
    begins(version.image, packageNamePrefixes) &&
    (olderThan === undefined || age > olderThan) &&
    (newerThan === undefined || age < newerThan)
  );
}

/** No prefix at all is no condition. */
function begins(text: string, prefixList: readonly string[]): boolean {
  return prefixList.length === 0 || prefixList.some((prefix) => text.startsWith(prefix));
}

/** What the stack's settings say of expiry. */
export interface Expiry {
  /** Age in days at which versions without a tag are deleted. */
  untaggedAfterDays: number;
  /** Age in days at which versions are deleted whose tags all are of builds. */
  buildsAfterDays: number;
  /** Most recent builds of each image that are never deleted. */
  keepCount: number;
  /** Versions that a build of an image makes: see {@link versionsOfBuild}. */
  versionsPerBuild: number;
  /** How the tags begin that keep a version for ever. */
  keptTagPrefixes: readonly string[];
}

const SECONDS_A_DAY = 86_400;

/** A policy as the API takes it. */
export interface PolicyInput {
  id: string;
  action: "DELETE" | "KEEP";
  condition?: { tagState: "TAGGED" | "UNTAGGED"; tagPrefixes?: string[]; olderThan?: string };
  mostRecentVersions?: { keepCount: number };
}

/** A build for several platforms is an image for each, and the index of them. */
export function versionsOfBuild(platforms: number): number {
  return platforms === 1 ? 1 : platforms + 1;
}

/** The cleanup policies of a repository: builds expire, releases stay. */
export function cleanupPolicies(expiry: Expiry): PolicyInput[] {
  const days = (number: number): string => `${number * SECONDS_A_DAY}s`;
  return [
    {
      id: "delete-untagged",
      action: "DELETE",
      condition: { tagState: "UNTAGGED", olderThan: days(expiry.untaggedAfterDays) },
    },
    {
      id: "delete-builds",
      action: "DELETE",
      condition: { tagState: "TAGGED", olderThan: days(expiry.buildsAfterDays) },
    },
    {
      id: "keep-releases",
      action: "KEEP",
      condition: { tagState: "TAGGED", tagPrefixes: [...expiry.keptTagPrefixes] },
    },
    {
      id: "keep-recent",
      action: "KEEP",
      mostRecentVersions: { keepCount: expiry.keepCount * expiry.versionsPerBuild },
    },
  ];
}
