import { z } from "zod";

/** What cleanup knows of a version of an image: a manifest in the repository, tagged or not. */
export interface StoredVersion {
  /** Name below the repository. */
  image: string;
  /** `sha256:...`. */
  digest: string;
  tags: readonly string[];
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
 * The versions that the policies delete now, in the order given: those that one deletes and none keeps. A keep policy by
 * itself deletes nothing (https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview).
 */
export function deletedVersions<V extends StoredVersion>(
  versions: readonly V[],
  policies: readonly CleanupPolicy[],
  now: Date,
): V[] {
  const chosenTo = (action: CleanupPolicy["action"], version: V): boolean =>
    policies.some((policy) => policy.action === action && chooses(policy, version, versions, now));
  return versions.filter((version) => chosenTo("DELETE", version) && !chosenTo("KEEP", version));
}

function chooses(
  { condition, mostRecentVersions }: CleanupPolicy,
  version: StoredVersion,
  versions: readonly StoredVersion[],
  now: Date,
): boolean {
  if (condition !== undefined) return meets(version, condition, now);
  if (mostRecentVersions === undefined) return false;
  const { keepCount, packageNamePrefixes } = mostRecentVersions;
  return begins(version.image, packageNamePrefixes) && laterOnes(version, versions, keepCount) < keepCount;
}

/** How many versions of an image were pushed after one; no more than so many are counted. */
function laterOnes(version: StoredVersion, versions: readonly StoredVersion[], most: number): number {
  let later = 0;
  // From the end: where versions come as they were pushed, the first few are enough.
  for (let index = versions.length - 1; index >= 0 && later < most; index -= 1) {
    const other = versions[index];
    if (other?.image === version.image && other.uploaded > version.uploaded) later += 1;
  }
  return later;
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
  /** Most recent versions of each image that are never deleted. */
  keepCount: number;
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
    { id: "keep-recent", action: "KEEP", mostRecentVersions: { keepCount: expiry.keepCount } },
  ];
}
