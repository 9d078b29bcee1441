import { expect, test } from "vitest";
import { describeChanges, lineNotes, nextVersion, otherBuild, versionNotes } from "./messages.ts";
import { lines } from "./names.ts";
import type { RegistryTags } from "./versions.ts";

const of = (images: Record<string, Record<string, string>>): RegistryTags =>
  new Map(Object.entries(images).map(([image, tags]) => [image, new Map(Object.entries(tags))]));

test.each<[string, string[], string]>([
  ["1.4.2", [], "1.4.3"],
  ["1.4.2", ["1.4.3", "build-1.4.4", "withdrawn-1.4.5", "v1.4.6", "1.4.8"], "1.4.7"],
  ["2.0.0-rc.1", ["2.0.0-rc.2"], "2.0.0-rc.3"],
])("the version after %s with the tags %j is %s", (version, tags, next) => {
  expect(nextVersion(version, of({ mcp: {}, ui: Object.fromEntries(tags.map((tag) => [tag, "x"])) }))).toBe(
    next,
  );
});

const SHA = `sha256:${"a".repeat(64)}`;
const SHORT = `sha256:${"a".repeat(12)}`;

test.each<[string, before: Record<string, string>, after: Record<string, string>, line: string | undefined]>([
  ["nothing", { "1.4.2": "x", build: "x" }, { "1.4.2": "x", build: "x" }, undefined],
  ["only working tags", {}, { build: "x", "build-1.4.2": "x", "build-amd64-1.4.2": "y" }, undefined],
  [
    "a first release",
    {},
    { latest: SHA, v1: SHA, "v1.4.2": SHA, "1.4": SHA, "1.4.2": SHA, "1": SHA },
    `1.4.2, v1.4.2, 1.4, 1, latest, v1 -> ${SHORT}`,
  ],
  [
    "a release",
    { "1.4.2": "x", "1.4": "x" },
    { "1.4.2": "x", "1.4": SHA, "1.4.3": SHA },
    `1.4.3 -> ${SHORT}; 1.4: 1.4.2 -> 1.4.3`,
  ],
  ["a build without a version", { edge: SHA }, { edge: "new" }, `edge: ${SHORT} -> a new build`],
  ["an overwrite", { "1.4.2": SHA, "1": SHA }, { "1.4.2": "b", "1": "b" }, `1.4.2, 1: ${SHORT} -> b`],
])("%s", (_, before, after, line) => {
  expect(describeChanges({ before: of({ ui: before }), after: of({ ui: after }) }, new Set(["new"]))).toEqual(
    line === undefined ? [] : [`ui: ${line}`],
  );
});

const builds = new Map(["mcp", "ui"].map((image) => [image, { digest: `${image}2` }]));
const released = { "build-1.4.2": "mcp2", "1.4.2": "mcp2", "v1.4.2": "mcp2" };

test.each<[string, Record<string, Record<string, string>>, string[]]>([
  ["without changes", { mcp: released }, []],
  [
    "with other sources",
    { mcp: { "build-1.4.2": "mcp1", "1.4.2": "mcp1" }, ui: { "1.4.2": "ui1", "1.4.3": "x" } },
    [
      "The sources of mcp and ui differ from 1.4.2, which stays as it is. To publish them: npm run release -- 1.4.4",
    ],
  ],
  ["without an image", { mcp: released, ui: {} }, ["1.4.2 does not include ui. The next version does."]],
  [
    "with moved own tags",
    { mcp: { ...released, "1.4.2": "x", "v1.4.2": "y" } },
    [
      "mcp:1.4.2 and mcp:v1.4.2 are not on build-1.4.2: moved by hand, or by an overwrite that did not finish. To put this build there: npm run release -- 1.4.2 --overwrite",
    ],
  ],
])("the notes of a version %s", (_, tags, notes) => {
  expect(versionNotes(of(tags), "1.4.2", builds)).toEqual(notes);
});

test("the note of lines whose only version is withdrawn", () => {
  const tags = of({ ui: { "1.4.2": "x", "withdrawn-1.4.2": "x", "1.4": "x", latest: "x" } });
  expect(lineNotes(tags, lines("1.4.2"))).toEqual([
    "1.4 and latest stay: the line has no complete version that is not withdrawn.",
  ]);
  expect(lineNotes(of({ ui: { "1.4.2": "x", "1.4": "x" } }), lines("1.4.2"))).toEqual([]);
});

test("reports another build of a version with both digests and both fixes", () => {
  const target = { image: "ui", tag: "build-1.4.2", digest: "sha256:b" };
  expect(otherBuild(of({ ui: { "build-1.4.2": "sha256:a" } }), "1.4.2", target, "sha256:a")).toEqual({
    where: "ui:build-1.4.2",
    found: "sha256:a, set by a run that did not finish; this build is sha256:b",
    allowed: "the same sources as that run, or another version",
    fix: "npm run release -- 1.4.3   # or, to publish this build all the same: npm run release -- 1.4.2 --overwrite",
  });
});
