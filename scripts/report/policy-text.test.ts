import { expect, test } from "vitest";
import { cleanupPolicy } from "../../components/repository/cleanup-rules.ts";
import { policyText } from "./policy-text.ts";

const untagged = { action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "1209600s" } };
const keep = (keepCount: number, ...packageNamePrefixes: string[]) => ({
  action: "KEEP",
  mostRecentVersions: { keepCount, ...(packageNamePrefixes.length > 0 && { packageNamePrefixes }) },
});

test.each<[unknown, string]>([
  [untagged, "deletes untagged versions older than 14 days, unless another policy keeps them"],
  [keep(10), "keeps the 10 most recent versions of each image"],
  [keep(2, "ui", "bri"), "keeps the 2 most recent versions of images ui* or bri*"],
  [
    { action: "DELETE", condition: { tagState: "ANY" } },
    "deletes all versions, unless another policy keeps them",
  ],
  [
    { action: "KEEP", condition: { tagState: "TAGGED", tagPrefixes: ["1."], newerThan: "86400s" } },
    "keeps tagged versions with tags 1.*, newer than 1 day",
  ],
  [
    {
      action: "DELETE",
      condition: { versionNamePrefixes: ["sha256:d"], packageNamePrefixes: ["ui"], olderThan: "43200s" },
    },
    "deletes versions with digests sha256:d*, of images ui*, older than 0.5 days, unless another policy keeps them",
  ],
])("%j %s", (policy, words) => {
  expect(policyText(cleanupPolicy.parse(policy))).toBe(words);
});
