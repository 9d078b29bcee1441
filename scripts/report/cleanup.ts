import { z } from "zod";
import type { ImageVersion } from "./content.ts";

const prefixes = z.array(z.string()).default([]);
const seconds = z.string().transform((duration) => Number.parseFloat(duration));

/** A cleanup policy, as the Artifact Registry API has it. */
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
 * The versions that the policies would delete now: those that one deletes and none keeps
 * (https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy).
 */
export function cleanedUp(
  versions: readonly ImageVersion[],
  policies: readonly CleanupPolicy[],
  now: Date,
): ImageVersion[] {
  const hit = (action: CleanupPolicy["action"]): Set<ImageVersion> =>
    new Set(
      policies
        .filter((policy) => policy.action === action)
        .flatMap((policy) => chosen(policy, versions, now)),
    );
  const kept = hit("KEEP");
  return [...hit("DELETE")].filter((version) => !kept.has(version));
}

function chosen(
  { condition, mostRecentVersions }: CleanupPolicy,
  versions: readonly ImageVersion[],
  now: Date,
): ImageVersion[] {
  if (condition !== undefined) return versions.filter((version) => meets(version, condition, now));
  if (mostRecentVersions === undefined) return [];
  const { keepCount, packageNamePrefixes } = mostRecentVersions;
  return versions.filter(
    (version) =>
      begins(version.image, packageNamePrefixes) &&
      versions.filter(({ image, uploaded }) => image === version.image && uploaded > version.uploaded)
        .length < keepCount,
  );
}

function meets(version: ImageVersion, condition: Condition, now: Date): boolean {
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
