import { expect, test } from "vitest";
import { declareTags } from "./declared-tags.ts";
import type { ImagePlan } from "./plan.ts";
import type { RecordedImage, RecordedTag } from "./recorded-tags.ts";

const plan = (digest?: string): ImagePlan => ({
  digest,
  steps: [["1.4.2"], ["1.4", "1", "latest"], ["v1.4.2"]],
});
const ALL = ["1.4.2", "1.4", "1", "latest", "v1.4.2"];
const on = (digest: string, ...tags: string[]) => new Map(tags.map((tag) => [tag, digest]));
const record = (
  tags: Record<string, string>,
  triggers: readonly string[] = ["as", "before"],
): RecordedImage => ({
  pull: { digest: "a", triggers },
  tags: new Map(
    Object.entries(tags).map(([tag, digest]): [string, RecordedTag] => [tag, { digest, triggers }]),
  ),
});

/** Each tag as `tag@digest step triggers`, where a step sets it, else `tag@digest`. */
function shown({ digest, steps }: ImagePlan, registry: Map<string, string>, recorded?: RecordedImage) {
  const { pull, tags, gone } = declareTags({ digest, steps }, registry, recorded);
  return {
    pull: pull && `${pull.digest ?? "build"} ${pull.triggers.join(" ")}`,
    tags: tags.map((tag) =>
      tag.step === undefined
        ? `${tag.tag}@${tag.digest ?? ""} ${tag.triggers.join(" ")}`
        : `${tag.step}: ${tag.tag}@${tag.digest ?? "build"} ${tag.triggers.join(" ")}`,
    ),
    gone,
  };
}

test("on the build in hand every tag is declared, with all of them as its triggers", () => {
  const all = ALL.join(" ");
  expect(shown(plan(), on("z", "latest"))).toEqual({
    pull: `build ${all}`,
    tags: [
      `0: 1.4.2@build ${all}`,
      `1: 1.4@build ${all}`,
      `1: 1@build ${all}`,
      `1: latest@build ${all}`,
      `2: v1.4.2@build ${all}`,
    ],
    gone: [],
  });
});

test("a published version is declared as the state has it", () => {
  const recorded = record({ "1.4.2": "a", latest: "a" });
  expect(shown(plan("a"), on("a", ...ALL), recorded)).toEqual({
    pull: "a as before",
    tags: ["1.4.2@a as before", "latest@a as before"],
    gone: [],
  });
});

test("and not at all where the state is lost", () => {
  expect(shown(plan("a"), on("a", ...ALL))).toEqual({ pull: undefined, tags: [], gone: [] });
});

test("what stands elsewhere and is not the plan's stays as the state has it", () => {
  const recorded = record({ latest: "b", "1.4.3": "b" });
  const { tags } = shown({ digest: "a", steps: [["1.4.2"], [], []] }, on("a", "1.4.2"), recorded);
  expect(tags).toEqual(["latest@b as before", "1.4.3@b as before"]);
});

test("what the registry lacks is set, whatever the state has beside it", () => {
  const registry = new Map([...on("a", "1.4.2", "v1.4.2", "1.4", "1"), ["latest", "b"]]);
  expect(shown(plan("a"), registry, record({ "1.4.2": "a", latest: "b" }))).toEqual({
    pull: "a latest",
    tags: ["1: latest@a latest", "1.4.2@a as before"],
    gone: [],
  });
});

test("what is gone and still in the state waits for a refresh", () => {
  const registry = on("a", "1.4.2", "v1.4.2", "1", "latest");
  const { tags, gone } = shown(plan("a"), registry, record({ "1.4": "a" }));
  expect([tags, gone]).toEqual([["1.4@a as before"], ["1.4"]]);
  expect(shown(plan("a"), registry, record({})).tags).toEqual(["1: 1.4@a 1.4"]);
});

test("an image that is left out of the version keeps what the state has", () => {
  const { tags } = shown({ digest: undefined, steps: [[], [], []] }, new Map(), record({ edge: "c" }));
  expect(tags).toEqual(["edge@c as before"]);
});
