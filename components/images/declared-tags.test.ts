import { describe, expect, test } from "vitest";
import { declareTags } from "./declared-tags.ts";
import type { ImagePlan } from "./plan.ts";
import type { RecordedImage, RecordedTag } from "./recorded-tags.ts";

const plan = (digest?: string): ImagePlan => ({
  digest,
  steps: [["1.4.2"], ["1.4", "1", "latest"], ["v1.4.2"]],
});
const ALL = ["1.4.2", "1.4", "1", "latest", "v1.4.2"];
const on = (digest: string, ...tags: string[]) => new Map(tags.map((tag) => [tag, digest]));

/** What an earlier program recorded: each tag by the digest that it was pushed with, undefined where it is gone. */
function record(tags: Record<string, string | undefined>): RecordedImage {
  const triggers = ["before"];
  return {
    pull: { digest: "a", triggers },
    tags: new Map(
      Object.entries(tags).map(([tag, digest]): [string, RecordedTag] => [
        tag,
        { digest, triggers, again: undefined },
      ]),
    ),
  };
}

/** Each tag as `step: tag@digest triggers`, without a step where none sets it; `!` where it is pushed anew. */
function shown(
  { digest, steps }: ImagePlan,
  registry: Map<string, string>,
  recorded?: RecordedImage,
  keep = digest !== undefined,
) {
  const { pull, tags } = declareTags({ digest, steps }, { registry, recorded, keep, again: "now" });
  return {
    pull: pull && `${pull.digest ?? "build"} ${pull.triggers.join(" ")}`,
    tags: tags.map(
      (one) =>
        `${one.step === undefined ? "" : `${one.step}: `}${one.tag}@${one.digest ?? "build"} ${one.triggers.join(" ")}${one.again === undefined ? "" : "!"}`,
    ),
  };
}

describe("on the build in hand", () => {
  test("every tag is declared", () => {
    expect(shown(plan(), on("z", "latest"))).toEqual({
      pull: `build ${ALL.join(" ")}`,
      tags: [
        "0: 1.4.2@build 1.4.2",
        "1: 1.4@build 1.4",
        "1: 1@build 1",
        "1: latest@build latest",
        "2: v1.4.2@build v1.4.2",
      ],
    });
  });

  const latest: ImagePlan = { digest: undefined, steps: [["latest"], [], []] };

  test("a tag is as the state has it, where the registry agrees", () => {
    expect(shown(latest, on("a", "latest"), record({ latest: "a", "1.4.1": "a" }))).toEqual({
      pull: "build before",
      tags: ["0: latest@build before"],
    });
  });

  test.each<[string, Map<string, string>, string | undefined]>([
    ["elsewhere", on("b", "latest"), "a"],
    ["gone", new Map(), "a"],
    ["gone, as a refresh has found", new Map(), undefined],
  ])("a tag that is %s is set anew", (_, registry, digest) => {
    expect(shown(latest, registry, record({ latest: digest }))).toEqual({
      pull: "build latest now",
      tags: ["0: latest@build latest now!"],
    });
  });

  test("of a new version the image is pulled anew, and a floating tag set where its digest is another", () => {
    const { pull, tags } = shown(plan(), on("a", "1.4", "1", "latest"), record({ "1.4": "a", "1": "a" }));
    expect(pull).toBe("build 1.4.2 latest v1.4.2 now");
    expect(tags[1]).toBe("1: 1.4@build before");
    expect(tags[3]).toBe("1: latest@build latest");
  });
});

describe("of a published version", () => {
  test("what is in its place is declared as the state has it", () => {
    expect(shown(plan("a"), on("a", ...ALL), record({ "1.4.2": "a", latest: "a" }))).toEqual({
      pull: "a before",
      tags: ["1.4.2@a before", "latest@a before"],
    });
  });

  test("and not at all where the state is lost", () => {
    expect(shown(plan("a"), on("a", ...ALL))).toEqual({ pull: undefined, tags: [] });
  });

  test("what stands elsewhere and is not the plan's stays as the state has it", () => {
    const own: ImagePlan = { digest: "a", steps: [["1.4.2"], [], []] };
    const { tags } = shown(own, on("a", "1.4.2"), record({ latest: "b", "1.4.3": "b", "1.4.1": undefined }));
    expect(tags).toEqual(["latest@b before", "1.4.3@b before"]);
  });

  test("what goes back to it is set", () => {
    const registry = new Map([...on("a", "1.4.2", "v1.4.2", "1.4", "1"), ["latest", "b"]]);
    expect(shown(plan("a"), registry, record({ "1.4.2": "a", latest: "b" }))).toEqual({
      pull: "a latest now",
      tags: ["1: latest@a before", "1.4.2@a before"],
    });
  });

  test.each<[string, string | undefined]>([
    ["in the state", "a"],
    ["as a refresh has found", undefined],
  ])("what is gone comes back, %s", (_, digest) => {
    const registry = on("a", "1.4.2", "v1.4.2", "1", "latest");
    expect(shown(plan("a"), registry, record({ "1.4": digest }))).toEqual({
      pull: "a 1.4 now",
      tags: ["1: 1.4@a 1.4 now!"],
    });
  });

  test("an image that is left out of it keeps what the state has", () => {
    const none: ImagePlan = { digest: undefined, steps: [[], [], []] };
    expect(shown(none, new Map(), record({ edge: "c" }), true).tags).toEqual(["edge@c before"]);
  });
});

test("without a version nothing is declared, whatever the state has", () => {
  const none: ImagePlan = { digest: undefined, steps: [[], [], []] };
  expect(shown(none, on("a", ...ALL), record({ latest: "a" }))).toEqual({ pull: undefined, tags: [] });
});
