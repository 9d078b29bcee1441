import { describe, expect, test } from "vitest";
import { z } from "zod";
import { cleanedUp, cleanupPolicy } from "./cleanup.ts";
import type { ImageVersion } from "./content.ts";
import { policyText } from "./policy-text.ts";

const NOW = new Date("2026-11-24T12:00:00Z");

/** A version by its short name: image, letter of the digest, age in days, tags. */
function version(image: string, letter: string, days: number, ...tags: string[]): ImageVersion {
  const uploaded = new Date(NOW.getTime() - days * 86_400_000);
  return { image, digest: `sha256:${letter}`, tags, sizeBytes: 1, uploaded };
}

const VERSIONS = [
  version("ui", "a", 1, "latest"),
  version("ui", "b", 20),
  version("ui", "c", 30, "1.0.0"),
  version("ui", "d", 40),
  version("bridge", "e", 50),
];

const untagged = { action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "1209600s" } };
const keep = (keepCount: number, ...packageNamePrefixes: string[]) => ({
  action: "KEEP",
  mostRecentVersions: { keepCount, ...(packageNamePrefixes.length > 0 && { packageNamePrefixes }) },
});

describe("cleanup would delete", () => {
  test.each<[string, unknown[], string]>([
    ["nothing without a policy", [], ""],
    ["nothing where versions are only kept", [keep(1)], ""],
    ["what is untagged and older", [untagged], "bde"],
    ["of it, not the most recent of each image", [untagged, keep(2)], "d"],
    ["not those of images that begin so", [untagged, keep(9, "bri")], "bd"],
    ["what is tagged", [{ action: "DELETE", condition: { tagState: "TAGGED" } }], "ac"],
    ["what has a tag that begins so", [{ action: "DELETE", condition: { tagPrefixes: ["1."] } }], "c"],
    ["one digest", [{ action: "DELETE", condition: { versionNamePrefixes: ["sha256:d"] } }], "d"],
    [
      "what is newer, of one image",
      [{ action: "DELETE", condition: { newerThan: "2592000s", packageNamePrefixes: ["ui"] } }],
      "ab",
    ],
    [
      "nothing that a condition keeps",
      [untagged, { action: "KEEP", condition: { olderThan: "3000000s" } }],
      "b",
    ],
  ])("%s", (_, policies, letters) => {
    const deleted = cleanedUp(VERSIONS, z.array(cleanupPolicy).parse(policies), NOW);
    expect(deleted.map(({ digest }) => digest.slice(7)).join("")).toBe(letters);
  });
});

test.each<[unknown, string]>([
  [untagged, "deletes versions without a tag, older than 14 days"],
  [keep(10), "keeps the 10 most recent versions of each image"],
  [keep(2, "ui", "bri"), "keeps the 2 most recent versions of images ui* or bri*"],
  [{ action: "DELETE", condition: { tagState: "ANY" } }, "deletes every version"],
  [
    { action: "KEEP", condition: { tagState: "TAGGED", tagPrefixes: ["1."], newerThan: "86400s" } },
    "keeps versions with a tag, with tags 1.*, newer than 1 day",
  ],
  [
    {
      action: "DELETE",
      condition: { versionNamePrefixes: ["sha256:d"], packageNamePrefixes: ["ui"], olderThan: "43200s" },
    },
    "deletes versions with digests sha256:d*, of images ui*, older than 0.5 days",
  ],
])("%j %s", (policy, words) => {
  expect(policyText(cleanupPolicy.parse(policy))).toBe(words);
});
