import { expect, test } from "vitest";
import { readRecordedTags } from "./recorded-tags.ts";
import { declare, type StackState } from "../../test/support/mocks.ts";

const PATH = "us-central1-docker.pkg.dev/production-471918/hyperion-public/hyperion-ui";
const REFERENCE = `${PATH}@sha256:a`;
const TAGS = ["1.4.2", "latest"];

const resources: StackState["resources"] = {
  pull: {
    type: "docker:index/remoteImage:RemoteImage",
    outputs: { name: REFERENCE, pullTriggers: TAGS, keepLocally: true },
  },
  tag: {
    type: "docker:index/tag:Tag",
    outputs: { sourceImage: REFERENCE, targetImage: `${PATH}:latest`, tagTriggers: [...TAGS, REFERENCE] },
  },
  pushed: {
    type: "docker:index/registryImage:RegistryImage",
    outputs: { name: `${PATH}:latest`, triggers: { digest: REFERENCE, again: "once" } },
  },
  // What a refresh leaves of a tag that is gone.
  left: {
    type: "docker:index/tag:Tag",
    outputs: { sourceImage: REFERENCE, targetImage: `${PATH}:1.4.2`, tagTriggers: null },
  },
  other: { type: "docker:index/image:Image", outputs: { repoDigest: REFERENCE } },
};

const read = (state: StackState) => declare(() => readRecordedTags(state.outputs), true, state);

test("tags are recorded with what they were declared with", async () => {
  const { result } = await read({ outputs: { registryUrl: "x" }, resources });
  expect([...result]).toEqual([
    [
      "hyperion-ui",
      {
        pull: { digest: "sha256:a", triggers: TAGS },
        tags: new Map([
          ["latest", { digest: "sha256:a", triggers: TAGS, again: "once" }],
          ["1.4.2", { digest: undefined, triggers: [], again: undefined }],
        ]),
      },
    ],
  ]);
});

test("a stack that was never brought up is not asked for its resources", async () => {
  const { result } = await read({
    outputs: {},
    get resources(): never {
      throw new Error("the engine panics");
    },
  });
  expect([...result]).toEqual([]);
});
