import { expect, test } from "vitest";
import { tagDrift } from "./tag-drift.ts";

/** Two images with these tags; a tag with `@` is on another digest than the build. */
const registry = (...tags: string[]) =>
  new Map(
    ["mcp", "ui"].map((image) => [
      image,
      new Map(
        ["build", ...tags].map((text) => {
          const [tag = "", digest = "1"] = text.split("@");
          return [tag, `${image}${digest}`];
        }),
      ),
    ]),
  );

const released = ["build-1.4.2", "1.4.2", "v1.4.2", "1.4", "1", "latest"];

test.each<[string, string | undefined, string[], string[]]>([
  ["nothing published", undefined, [], []],
  ["a correct release", "1.4.2", released, []],
  ["newer builds of main", "1.4.2", [...released.map((tag) => `${tag}@0`), "edge"], []],
  [
    "a deleted own tag",
    "1.4.2",
    released.filter((tag) => tag !== "v1.4.2"),
    ["mcp: v1.4.2 -> mcp1", "ui: v1.4.2 -> ui1"],
  ],
  [
    "a moved own tag",
    "1.4.2",
    [...released.filter((tag) => tag !== "v1.4.2"), "v1.4.2@2"],
    [
      "mcp:v1.4.2 and ui:v1.4.2 are not on build-1.4.2: moved by hand, or by an overwrite that did not finish. To put this build there: npm run release -- 1.4.2 --overwrite",
    ],
  ],
  [
    "a withdrawn version in the stack's file",
    "1.4.2",
    [
      ...["build-1.4.2@2", "1.4.2@2", "v1.4.2@2", "withdrawn-1.4.2@2"],
      ...released.map((tag) => tag.replace("1.4.2", "1.4.1")),
    ],
    [],
  ],
  [
    "floating tags on a withdrawn version",
    undefined,
    [...released, "withdrawn-1.4.2", "build-1.4.1@0", "1.4.1@0"],
    ["mcp: 1.4, 1, latest: 1.4.2 -> 1.4.1", "ui: 1.4, 1, latest: 1.4.2 -> 1.4.1"],
  ],
  [
    "a line without a version",
    undefined,
    [...released, "withdrawn-1.4.2"],
    ["1.4, 1 and latest stay: the line has no complete version that is not withdrawn."],
  ],
])("%s", async (_, version, tags, lines) => {
  expect(await tagDrift(registry(...tags), version)).toEqual(lines);
});

test("an image that was added after the version", async () => {
  const tags = new Map([...registry(...released), ["new", new Map([["build", "new1"]])]]);
  expect(await tagDrift(tags, "1.4.2")).toEqual([]);
});
