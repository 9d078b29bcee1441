import type { CleanupPolicy } from "../../components/repository/cleanup-rules.ts";

const SECONDS_A_DAY = 86_400;

/** A cleanup policy in words: `deletes untagged versions older than 14 days, unless another policy keeps them`. */
export function policyText({ action, condition, mostRecentVersions }: CleanupPolicy): string {
  const does = action === "DELETE" ? "deletes" : "keeps";
  if (condition === undefined) {
    const { keepCount = 0, packageNamePrefixes = [] } = mostRecentVersions ?? {};
    return `${does} the ${keepCount} most recent versions of ${packageNamePrefixes.length > 0 ? named("images", packageNamePrefixes) : "each image"}`;
  }
  const { tagState, tagPrefixes, versionNamePrefixes, packageNamePrefixes, olderThan, newerThan } = condition;
  const kind =
    tagState === "UNTAGGED" ? "untagged versions" : tagState === "TAGGED" ? "tagged versions" : "versions";
  const only = [
    ...(tagPrefixes.length > 0 ? [`with ${named("tags", tagPrefixes)}`] : []),
    ...(versionNamePrefixes.length > 0 ? [`with ${named("digests", versionNamePrefixes)}`] : []),
    ...(packageNamePrefixes.length > 0 ? [`of ${named("images", packageNamePrefixes)}`] : []),
    ...(olderThan !== undefined ? [`older than ${days(olderThan)}`] : []),
    ...(newerThan !== undefined ? [`newer than ${days(newerThan)}`] : []),
  ];
  const which = only.length > 0 ? `${kind} ${only.join(", ")}` : `all ${kind}`;
  return `${does} ${which}${action === "DELETE" ? ", unless another policy keeps them" : ""}`;
}

function named(what: string, prefixes: readonly string[]): string {
  return `${what} ${prefixes.map((prefix) => `${prefix}*`).join(" or ")}`;
}

function days(seconds: number): string {
  const number = Number((seconds / SECONDS_A_DAY).toFixed(2));
  return `${number} ${number === 1 ? "day" : "days"}`;
}
