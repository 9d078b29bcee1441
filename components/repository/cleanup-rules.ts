import { z } from "zod";

/** A version of an image: a manifest in the repository, tagged or untagged. */
export interface StoredVersion {
  /** Name of the image in the repository. */
  image: string;
  /** `sha256:...`. */
  digest: string;
  tags: readonly string[];
  /** Digests of the images in an index. */
  children?: readonly string[];
  /**
   * Upload time, which starts the age of the version. A tag that moves to the version later does not change it
   * (https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy).
   */
  uploaded: Date;
}

const prefixes = z.array(z.string()).default([]);
const seconds = z.string().transform((duration) => Number.parseFloat(duration));

/**
 * A cleanup policy, as the Artifact Registry API returns it
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
 * Whether Google deletes an image that an index refers to. It refuses
 * (https://github.com/GoogleCloudPlatform/gcr-cleaner/issues/130), but does not document that.
 */
export type ChildDeletion = "refused" | "allowed";

/**
 * Returns the versions that the policies delete now: those that a delete policy matches and no keep policy does. A keep
 * policy alone deletes nothing (https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview).
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

/** For each image, the upload time of the oldest of its `count` most recent versions. */
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
 * A version has to meet every part of a condition, and one of the prefixes
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

/** An empty list matches every text. */
function begins(text: string, prefixList: readonly string[]): boolean {
  return prefixList.length === 0 || prefixList.some((prefix) => text.startsWith(prefix));
}

/** When versions expire. */
export interface Expiry {
  /** Days after which untagged versions are deleted. */
  untaggedAfterDays: number;
  /** Days after which versions are deleted that have no kept tag. */
  buildsAfterDays: number;
  /** How many recent builds of each image are kept. */
  keepCount: number;
  /** How many versions a build of an image creates: see {@link versionsOfBuild}. */
  versionsPerBuild: number;
  /** Prefixes of the tags that keep a version. */
  keptTagPrefixes: readonly string[];
}

const SECONDS_A_DAY = 86_400;

/** A cleanup policy for the API. */
export interface PolicyInput {
  id: string;
  action: "DELETE" | "KEEP";
  condition?: { tagState: "TAGGED" | "UNTAGGED"; tagPrefixes?: string[]; olderThan?: string };
  mostRecentVersions?: { keepCount: number };
}

/** A build for several platforms creates an image for each platform, and an index. */
export function versionsOfBuild(platforms: number): number {
  return platforms === 1 ? 1 : platforms + 1;
}

/** Returns the cleanup policies of a repository: builds expire, releases stay. */
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
