import { expect, test } from "vitest";
import { setTags, type TagWork } from "./set-tags.ts";
import { TagCopy } from "./store.ts";
import type { RegistryTags, TagTarget } from "./versions.ts";

const revision = "abc123f0".repeat(5);

/** A copy that records its requests. */
class Watched extends TagCopy {
  readonly requests: string[] = [];

  override read(): Promise<RegistryTags> {
    this.requests.push("read");
    return super.read();
  }

  override create(target: TagTarget): Promise<boolean> {
    this.requests.push(`create ${target.tag}`);
    return super.create(target);
  }

  override set(target: TagTarget): Promise<void> {
    this.requests.push(`set ${target.tag}`);
    return super.set(target);
  }
}

/** Runs a build with the digest 2 on an image with tags `TAG@DIGEST`. */
async function run(
  tags: string,
  release: TagWork["release"],
): Promise<{ tags: string; notes: readonly string[]; requests: string[] }> {
  const before = new Map(
    tags
      .split(" ")
      .filter(Boolean)
      .map((text) => text.split("@") as [string, string]),
  );
  const registry = new Map([["ui", before]]);
  const store = new Watched(registry);
  const builds = new Map([["ui", { digest: "2", platforms: new Map([["linux/amd64", "2-amd64"]]) }]]);
  const { after, notes } = await setTags(store, { registry, release, builds });
  const requests = [...store.requests];
  expect(await store.read()).toEqual(after);
  const changed = [...(after.get("ui") ?? [])].filter(([tag, digest]) => before.get(tag) !== digest);
  return { tags: changed.map((one) => one.join("@")).join(" "), notes, requests };
}

const RELEASED = "1.4.2@1 v1.4.2@1 build-1.4.2@1 1.4@1 1@1 latest@1";

test.each<[string, string, TagWork["release"], string]>([
  ["nothing", "", {}, "build@2 latest@2"],
  ["a prerelease", "1.0.0-rc.1@1", {}, "build@2 latest@2"],
  ["a release", "1.4.2@1", {}, "build@2"],
  ["a commit", "abc123f@1", { revision }, "abc123f@2 build@2"],
  [
    "the tip of main",
    "edge@1",
    { revision, releaseDate: "2025-01-10" },
    "edge@2 build@2 abc123f@2 2025-01-10@2",
  ],
  [
    "a first version of a commit",
    "",
    { version: "0.3.1", revision },
    "build@2 abc123f@2 build-0.3.1@2 build-amd64-0.3.1@2-amd64 0.3.1@2 v0.3.1@2 0.3@2 latest@2",
  ],
])("with %s published (%j), %j sets %s", async (_, tags, release, set) => {
  expect((await run(tags, release)).tags).toBe(set);
});

test.each<[string, string, set: string, note: RegExp | undefined]>([
  ["a withdrawn version sets nothing", "build@2 1.4.2@1 withdrawn-1.4.2@1", "", /^1\.4\.2 is withdrawn/],
  ["a moved own tag stays", `build@2 ${RELEASED} v1.4.2@9`, "", /ui:v1\.4\.2 is not on build-1/],
  ["a deleted own tag comes back", "build@2 1.4.2@1 build-1.4.2@1 1.4@1 1@1 latest@1", "v1.4.2@1", undefined],
])("%s", async (_, tags, set, note) => {
  const result = await run(tags, { version: "1.4.2" });
  expect(result.tags).toBe(set);
  if (note === undefined) expect(result.notes).toEqual([expect.stringMatching(/^The sources of ui differ/)]);
  else expect(result.notes).toEqual(expect.arrayContaining([expect.stringMatching(note)]));
});

test("a run that changes nothing sends no request", async () => {
  const { requests } = await run(`build@2 abc123f@2 ${RELEASED}`, { version: "1.4.2", revision });
  expect(requests).toEqual([]);
});

test("an image that is not part of a version keeps its tags", async () => {
  const mcp = new Map(RELEASED.split(" ").map((text) => text.split("@") as [string, string]));
  const registry = new Map([
    ["mcp", mcp],
    ["ui", new Map([["latest", "1"]])],
  ]);
  const build = (digest: string) => ({ digest, platforms: new Map<string, string>() });
  const builds = new Map([
    ["mcp", build("1")],
    ["ui", build("2")],
  ]);
  const work = { registry, release: { version: "1.4.2" }, builds };
  const { after, notes } = await setTags(new TagCopy(registry), work);
  expect(after.get("ui")).toEqual(
    new Map([
      ["latest", "1"],
      ["build", "2"],
    ]),
  );
  expect(notes).toEqual(["1.4.2 does not include ui. The next version does."]);
});
