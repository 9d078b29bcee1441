import { describe, expect, test } from "vitest";
import { planRelease } from "./plan.ts";
import { correctFloatingTags, markBuilds, type ReleaseSteps, stopIfOvertaken } from "./release-steps.ts";
import { type Answers, fakeGoogle, tagLists } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import type { Release } from "./tags.ts";

const registry = { project: "production-471918", location: "us-central1", repositoryId: "hyperion-public" };
const PACKAGE = "/projects/production-471918/locations/us-central1/repositories/hyperion-public/packages/ui";
const LIST = `GET ${PACKAGE}/tags?pageSize=1000`;
const create = (tag: string): string => `POST ${PACKAGE}/tags?tagId=${tag}`;
const whole = (version: string, digest: string, ...floating: string[]) =>
  Object.fromEntries([version, `v${version}`, `build-${version}`, ...floating].map((tag) => [tag, digest]));

/** What a step asks of Artifact Registry, the registry having been so when the run began, and being so now. */
async function asked(
  step: (steps: ReleaseSteps) => Promise<void>,
  release: Partial<Release>,
  before: Record<string, string>,
  answers: Answers,
  preview = false,
): Promise<string[]> {
  const settings = { edge: false, rollback: false, allowVersionOverwrite: false, ...release };
  const plan = planRelease(settings, new Map([["ui", new Map(Object.entries(before))]]));
  const requests = await fakeGoogle(answers);
  await declare(() => step({ registry, plan, newVersion: release.version }), preview);
  return requests.map(({ what }) => what);
}

const ok = { status: 200 };

describe("before the first tag", () => {
  const mark = (steps: ReleaseSteps) => markBuilds(steps, new Map([["ui", "sha256:b"]]));

  test("a new version marks its builds", async () => {
    const answers = { ...tagLists({ ui: {} }), [create("build-1.4.2")]: ok };
    expect(await asked(mark, { version: "1.4.2" }, {}, answers)).toEqual([LIST, create("build-1.4.2")]);
    expect(
      await asked(mark, { version: "1.4.2" }, {}, tagLists({ ui: { "build-1.4.2": "sha256:b" } })),
    ).toEqual([LIST]);
  });

  test("a rollback marks what it leaves", async () => {
    const before = { ...whole("1.4.1", "sha256:a"), ...whole("1.4.2", "sha256:b", "latest") };
    const answers = { ...tagLists({ ui: before }), [create("withdrawn-1.4.2")]: ok };
    const none = (steps: ReleaseSteps) => markBuilds({ ...steps, newVersion: undefined }, new Map());
    const release = { version: "1.4.1", rollback: true };
    expect(await asked(none, release, before, answers)).toEqual([LIST, create("withdrawn-1.4.2")]);
  });

  test("a version that another run has published meanwhile stops it", async () => {
    const now = tagLists({ ui: { "1.4.2": "sha256:a" } });
    await expect(asked(mark, { version: "1.4.2" }, {}, now)).rejects.toThrow(
      "1 problem; no tag was set.\n\nui:1.4.2\n  found:   published meanwhile as sha256:a; this build is sha256:b",
    );
  });

  test("nothing is asked at preview, nor of a build of main", async () => {
    expect(await asked(mark, { version: "1.4.2" }, {}, {}, true)).toEqual([]);
    expect(await asked(mark, { revision: "abc123f0".repeat(5) }, {}, {})).toEqual([]);
  });
});

describe("before the floating tags", () => {
  test("a higher version stops the run with one line, which is all of the error", async () => {
    const now = tagLists({ ui: { ...whole("1.4.2", "sha256:a"), ...whole("1.4.3", "sha256:b") } });
    await expect(asked(stopIfOvertaken, { version: "1.4.2" }, {}, now)).rejects.toThrow(
      /^1\.4\.2 is published, and was overtaken: .*1\.4\.3 is published and higher\. Run it again to finish the rest\.$/,
    );
    expect(await asked(stopIfOvertaken, { version: "1.4.2" }, {}, now, true)).toEqual([]);
  });

  test("nothing higher lets it go on, and a rollback is not asked", async () => {
    const now = tagLists({ ui: whole("1.4.2", "sha256:a") });
    expect(await asked(stopIfOvertaken, { version: "1.4.2" }, {}, now)).toEqual([LIST]);
    const before = { ...whole("1.4.1", "sha256:a"), ...whole("1.4.2", "sha256:b", "latest") };
    expect(await asked(stopIfOvertaken, { version: "1.4.1", rollback: true }, before, now)).toEqual([]);
  });
});

test("floating tags that are a higher version's are put on it, until all are", async () => {
  const higher = whole("1.4.3", "sha256:b");
  let asks = 0;
  const now = (floating: string) => ({
    status: 200,
    body: {
      tags: Object.entries({
        ...whole("1.4.2", "sha256:a"),
        ...higher,
        "1.4": floating,
        "1": "sha256:b",
        latest: "sha256:b",
      }).map(([tag, digest]) => ({ name: `x/${tag}`, version: `x/${digest}` })),
    },
  });
  const answers: Answers = {
    [LIST]: () => now((asks += 1) === 1 ? "sha256:a" : "sha256:b"),
    [create("1.4")]: { status: 409 },
    [`PATCH ${PACKAGE}/tags/1.4?updateMask=version`]: ok,
  };
  expect(await asked(correctFloatingTags, { version: "1.4.2" }, {}, answers)).toEqual([
    LIST,
    create("1.4"),
    `PATCH ${PACKAGE}/tags/1.4?updateMask=version`,
    LIST,
  ]);
});
