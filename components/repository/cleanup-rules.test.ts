import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type ChildDeletion,
  cleanupPolicies,
  cleanupPolicy,
  deletedVersions,
  type StoredVersion,
  versionsOfBuild,
} from "./cleanup-rules.ts";

const NOW = new Date("2026-11-24T12:00:00Z");
const DAY_MS = 86_400_000;

/** @param letter the digest. */
function version(image: string, letter: string, days: number, ...tags: string[]): StoredVersion {
  return { image, digest: `sha256:${letter}`, tags, uploaded: new Date(NOW.getTime() - days * DAY_MS) };
}

/** @param children a letter for each digest. */
const index = (letter: string, days: number, children: string, ...tags: string[]): StoredVersion => ({
  ...version("ui", letter, days, ...tags),
  children: children.split("").map((child) => `sha256:${child}`),
});

const deleted = (versions: StoredVersion[], policies: unknown, childDeletion?: ChildDeletion): string =>
  deletedVersions(versions, z.array(cleanupPolicy).parse(policies), NOW, childDeletion)
    .map(({ digest }) => digest.slice(7))
    .sort()
    .join("");

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

describe("cleanup deletes", () => {
  test.each<[string, unknown[], string]>([
    ["nothing without a policy", [], ""],
    ["nothing with a keep policy alone", [keep(1)], ""],
    ["old untagged versions", [untagged], "bde"],
    ["old untagged versions, except the most recent of each image", [untagged, keep(2)], "d"],
    ["old untagged versions, except those of images with a prefix", [untagged, keep(9, "bri")], "bd"],
    ["tagged versions", [{ action: "DELETE", condition: { tagState: "TAGGED" } }], "ac"],
    ["versions with a tag prefix", [{ action: "DELETE", condition: { tagPrefixes: ["1."] } }], "c"],
    ["one digest", [{ action: "DELETE", condition: { versionNamePrefixes: ["sha256:d"] } }], "d"],
    [
      "new versions of one image",
      [{ action: "DELETE", condition: { newerThan: "2592000s", packageNamePrefixes: ["ui"] } }],
      "ab",
    ],
    [
      "no version that a condition keeps",
      [untagged, { action: "KEEP", condition: { olderThan: "3000000s" } }],
      "b",
    ],
    [
      "no version that a condition keeps, in any order",
      [
        { action: "KEEP", condition: { tagState: "TAGGED", tagPrefixes: ["x", "1."] } },
        { action: "DELETE", condition: {} },
      ],
      "abde",
    ],
  ])("%s", (_, policies, letters) => {
    expect(deleted(VERSIONS, policies)).toBe(letters);
  });
});

describe("the policies of the stack", () => {
  const policies = cleanupPolicies({
    untaggedAfterDays: 14,
    buildsAfterDays: 100,
    keepCount: 1,
    versionsPerBuild: versionsOfBuild(1),
    keptTagPrefixes: ["v", "latest", "edge", "build", "withdrawn"],
  });

  test("let builds expire, but no version with a tag of a release or of the tip of main", () => {
    const old = 1000;
    const stored = [
      version("ui", "a", 2, "abc123f", "2025-01-10"),
      version("ui", "b", 99, "abc123e"),
      version("ui", "c", 101, "abc123d", "2025-01-09"),
      version("ui", "d", 13),
      version("ui", "e", 15),
      version("ui", "f", old, "1.4.2", "v1.4.2", "abc123c"),
      version("ui", "g", old, "latest"),
      version("ui", "h", old, "edge", "abc123b"),
      version("ui", "i", old, "build"),
      version("ui", "j", old, "build-1.5.0"),
      version("ui", "k", old, "withdrawn-1.4.3", "abc123a"),
      version("bridge", "l", old, "abc123f"),
    ];
    expect(deleted(stored, policies)).toBe("ce");
  });
});

describe("the images of an index", () => {
  const policies = cleanupPolicies({
    untaggedAfterDays: 14,
    buildsAfterDays: 100,
    keepCount: 1,
    versionsPerBuild: versionsOfBuild(2),
    keptTagPrefixes: ["v", "build"],
  });
  const stored = [
    version("ui", "a", 300, "build-amd64-1.4.2"),
    version("ui", "b", 300, "build-arm64-1.4.2"),
    index("c", 300, "ab", "v1.4.2"),
    version("ui", "d", 200),
    version("ui", "e", 200),
    index("f", 200, "de", "abc123d"),
    version("ui", "g", 50),
    version("ui", "h", 50),
    index("i", 50, "gh", "abc123e"),
    version("bridge", "g", 50),
    version("ui", "j", 1, "build-amd64"),
    version("ui", "k", 1, "build-arm64"),
    index("l", 1, "jk", "build"),
  ];

  test("are deleted with the index if Google refuses to delete them first", () => {
    // The other image has no index. Its one version is among the most recent.
    expect(deleted(stored, policies)).toBe("def");
  });

  test("are deleted before the index if Google does not refuse, except images of a release and of the tip", () => {
    expect(deleted(stored, policies, "allowed")).toBe("defgh");
  });

  test("count as versions: the most recent builds stay complete", () => {
    const builds = ["abc", "def", "ghi"].flatMap(([amd64 = "", arm64 = "", top = ""], age) => [
      version("ui", amd64, 200 - age),
      version("ui", arm64, 200 - age),
      index(top, 200 - age, amd64 + arm64),
    ]);
    for (const childDeletion of ["refused", "allowed"] as const)
      expect(deleted(builds, policies, childDeletion)).toBe("abcdef");
  });
});
