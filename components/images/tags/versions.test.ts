import { expect, test } from "vitest";
import { lines } from "./names.ts";
import {
  isStarted,
  mentionedVersions,
  misplacedFloatingTags,
  type RegistryTags,
  startedVersions,
} from "./versions.ts";

/** Tags of two images, as `TAG@DIGEST`. Default digest: 1. */
const registry = (mcp: string, ui: string): RegistryTags =>
  new Map(
    Object.entries({ mcp, ui }).map(([image, tags]) => [
      image,
      new Map(
        tags
          .split(" ")
          .filter(Boolean)
          .map((text) => {
            const [tag = "", digest = "1"] = text.split("@");
            return [tag, `${image}${digest}`];
          }),
      ),
    ]),
  );

test.each<[string, mcp: string, ui: string, digests: object, complete: boolean, withdrawn: boolean]>([
  ["with every tag", "build-1.4.2 1.4.2", "build-1.4.2 1.4.2", { mcp: "mcp1", ui: "ui1" }, true, false],
  ["without an own tag of one", "build-1.4.2 1.4.2", "build-1.4.2", { mcp: "mcp1", ui: "ui1" }, false, false],
  ["without v1.4.2 of one", "1.4.2", "1.4.2 v1.4.2", { mcp: "mcp1", ui: "ui1" }, true, false],
  ["with v1.4.2 alone", "v1.4.2", "", { mcp: "mcp1" }, false, false],
  ["of one image", "1.4.2", "latest", { mcp: "mcp1" }, true, false],
  ["whose own tag was moved", "build-1.4.2 1.4.2@2 v1.4.2@3", "", { mcp: "mcp1" }, true, false],
  ["withdrawn on one image", "1.4.2", "1.4.2 withdrawn-1.4.2", { mcp: "mcp1", ui: "ui1" }, true, true],
])("a version %s", (_, mcp, ui, digests, complete, withdrawn) => {
  const tags = registry(mcp, ui);
  expect(startedVersions(tags)).toEqual([
    { version: "1.4.2", digests: new Map(Object.entries(digests)), complete, withdrawn },
  ]);
  expect(isStarted(tags, "1.4.2")).toBe(true);
});

test("a version with only build and withdrawn tags is mentioned, not started", () => {
  const tags = registry(
    "build build-1.4.10 build-amd64 build-amd64-1.4.1",
    "withdrawn-1.4.9 edge abc123f 1.4",
  );
  expect(startedVersions(tags)).toEqual([]);
  expect(isStarted(tags, "1.4.10")).toBe(false);
  expect(mentionedVersions(tags)).toEqual(["1.4.9", "1.4.10"]);
});

test.each<[string, mcp: string, ui: string, misplaced: string[]]>([
  ["missing", "1.4.2", "1.4.2 1.4", ["mcp:1.4 mcp1"]],
  ["on a lower version", "1.4.9@9 1.4.10 1.4@9", "1.4.9@9 1.4.10 1.4", ["mcp:1.4 mcp1"]],
  ["on a version that is withdrawn", "1.4.1 1.4.2@2 withdrawn-1.4.2 1.4@2", "", ["mcp:1.4 mcp1"]],
  ["on an incomplete version", "1.4.1 1.4.2@2 1.4@2", "build-1.4.2 1.4.1 1.4", ["mcp:1.4 mcp1"]],
  ["on a version of another line", "1.4.2 1.5.0@5 1.4@5", "", ["mcp:1.4 mcp1"]],
  ["on a prerelease of the next version", "1.4.2 1.4.3-rc.1@3 1.4@3", "", ["mcp:1.4 mcp1"]],
  ["on the right version", "1.4.2 1.4", "1.4.2 1.4", []],
  ["of an image that does not belong to the version", "1.4.2 1.4", "1.4@5", []],
  ["of a line whose only version is withdrawn", "1.4.2 withdrawn-1.4.2 1.4@5", "", []],
])("floating tags %s", (_, mcp, ui, misplaced) => {
  const [line] = lines("1.4.2");
  if (line === undefined) throw new Error("1.4.2 has no line");
  const found = misplacedFloatingTags(registry(mcp, ui), [line]);
  expect(found.map(({ image, tag, digest }) => `${image}:${tag} ${digest}`)).toEqual(misplaced);
});
