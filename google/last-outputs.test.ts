import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test } from "vitest";
import { endMocks } from "../test/support/mocks.ts";
import { lastOutputs } from "./last-outputs.ts";

afterEach(endMocks);

test("reads this stack's outputs from the engine, without a resource", async () => {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type }) => {
        throw new Error(`unexpected resource ${type}`);
      },
      call: ({ token, inputs }) => {
        expect(token).toBe("pulumi:pulumi:readStackOutputs");
        expect(inputs).toEqual({ name: "organization/hyperion-registry/production" });
        return {
          name: "organization/hyperion-registry/production",
          outputs: { registryUrl: "us-central1-docker.pkg.dev/a/b" },
          secretOutputNames: [],
        };
      },
    },
    "hyperion-registry",
    "production",
    false,
    "organization",
  );
  expect(await lastOutputs()).toEqual({ registryUrl: "us-central1-docker.pkg.dev/a/b" });
});
