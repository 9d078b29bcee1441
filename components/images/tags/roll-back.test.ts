import { expect, test } from "vitest";
import { rollBack } from "./roll-back.ts";
import { TagCopy } from "./store.ts";
import type { RegistryTags } from "./versions.ts";

const images = ["mcp", "ui"];

/** Two images with these versions. The floating tags are on the last one. */
function published(
  versions: readonly string[],
  more: readonly [string, string, string][] = [],
): RegistryTags {
  const tags = new Map<string, Map<string, string>>(
    images.map((image) => {
      const own = versions.flatMap((version) =>
        ["", "v", "build-"].map((prefix) => [prefix + version, `${image}@${version}`] as const),
      );
      const floating = ["1.4", "1", "latest"].map(
        (tag) => [tag, `${image}@${versions.at(-1) ?? ""}`] as const,
      );
      return [image, new Map<string, string>([...own, ...floating])];
    }),
  );
  for (const [image, tag, digest] of more) tags.get(image)?.set(tag, digest);
  return tags;
}

test.each<[string, string | undefined, withdrawn: string[]]>([
  ["1.4.1", undefined, ["1.4.2"]],
  ["1.4.1", "1", ["1.4.2", "1.5.0", "1.6.0"]],
  ["1.5.0", undefined, ["1.6.0"]],
  ["1.5.0", "latest", ["1.6.0", "2.0.0"]],
  ["2.0.0", undefined, []],
])("a rollback to %s in the line %j withdraws %j", async (version, line, withdrawn) => {
  const store = new TagCopy(published(["1.4.1", "1.4.2", "1.5.0", "1.6.0", "2.0.0-rc.1", "2.0.0"]));
  await rollBack(store, version, line);
  const after = await store.read();
  for (const image of images) {
    const marks = [...(after.get(image) ?? [])].filter(([tag]) => tag.startsWith("withdrawn-"));
    expect(marks).toEqual(withdrawn.map((one) => [`withdrawn-${one}`, `${image}@${one}`]));
  }
});

test.each([
  ["build", ["withdrawn-1.5.0"]],
  ["withdrawn", []],
])("with the tag %s-1.4.2 of an unpublished version, a rollback adds %j", async (prefix, withdrawn) => {
  const store = new TagCopy(published(["1.4.1", "1.5.0"], [["ui", `${prefix}-1.4.2`, "x"]]));
  await rollBack(store, "1.4.1");
  expect(
    [...((await store.read()).get("mcp")?.keys() ?? [])].filter((tag) => /^withdrawn/.test(tag)),
  ).toEqual(withdrawn);
});

const PUBLISHED = published(["1.4.1", "1.4.2"], [["ui", "withdrawn-1.4.2", "x"]]);
const IN_PART = published(
  ["1.4.1"],
  [
    ["ui", "1.4.2", "x"],
    ["mcp", "build-1.4.2", "x"],
  ],
);

test.each<[string, string | undefined, RegistryTags, found: string, allowed: string]>([
  ["1.4.3", undefined, PUBLISHED, "a version that is not published", "a complete version"],
  ["1.4.2", undefined, PUBLISHED, "a version that is withdrawn itself", "a complete version"],
  ["1.4.2", undefined, IN_PART, "a version that is published in part", "a complete version"],
  ["2.0.0-rc.1", undefined, PUBLISHED, "a prerelease", "a stable version"],
  ["1.4.1", "2", PUBLISHED, '"2"', "a line of 1.4.1: 1.4, 1, latest"],
])("a rollback to %s in the line %j is refused", async (version, line, tags, found, allowed) => {
  const store = new TagCopy(tags);
  await expect(rollBack(store, version, line)).rejects.toThrow(`found:   ${found}\n  allowed: ${allowed}`);
  expect(await store.read()).toEqual(tags);
});
