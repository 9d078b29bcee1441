import { sameButCase, type Shape } from "../rpc/shape.ts";

/** `14d`, `336h` and `1209600s` are equal. */
export function sameDuration(wanted: string, actual: string): boolean {
  return seconds(wanted) !== undefined && seconds(wanted) === seconds(actual);
}

function seconds(duration: string): number | undefined {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  return Number(count) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? 1);
}

const policy: Shape = {
  id: { kind: "string", required: true },
  action: { kind: "string" },
  condition: {
    kind: "block",
    items: {
      tagState: { kind: "string", default: "ANY" },
      tagPrefixes: { kind: "strings" },
      versionNamePrefixes: { kind: "strings" },
      packageNamePrefixes: { kind: "strings" },
      olderThan: { kind: "string", same: sameDuration },
      newerThan: { kind: "string", same: sameDuration },
    },
  },
  mostRecentVersions: {
    kind: "block",
    items: { keepCount: { kind: "integer" }, packageNamePrefixes: { kind: "strings" } },
  },
};

/** Supported properties: all except those of other formats and modes. */
export const repositoryShape: Shape = {
  repositoryId: { kind: "string", required: true, replaces: true },
  format: { kind: "string", required: true, replaces: true, same: sameButCase },
  location: { kind: "string", replaces: true, computed: true },
  project: { kind: "string", replaces: true, computed: true },
  kmsKeyName: { kind: "string", replaces: true },
  mode: { kind: "string", replaces: true, default: "STANDARD_REPOSITORY" },
  description: { kind: "string" },
  labels: { kind: "map" },
  cleanupPolicies: { kind: "blocks", key: "id", items: policy },
  cleanupPolicyDryRun: { kind: "boolean" },
  dockerConfig: { kind: "block", items: { immutableTags: { kind: "boolean" } } },
  vulnerabilityScanningConfig: {
    kind: "block",
    items: { enablementConfig: { kind: "string" } },
    // Google sets it for each repository.
    computed: true,
  },
};
