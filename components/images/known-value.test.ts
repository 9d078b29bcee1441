import { output } from "@pulumi/pulumi";
import { Image } from "@pulumi/docker/image.js";
import { expect, test } from "vitest";
import { declare } from "../../test/support/mocks.ts";
import { knownValue } from "./known-value.ts";

test("returns a known value, and undefined for one that only up makes known", async () => {
  const { result } = await declare(async () => {
    const image = new Image("ui", { imageName: "localhost/ui:build" });
    return [await knownValue(output(Promise.resolve("digest"))), await knownValue(image.repoDigest)];
  }, true);
  expect(result).toEqual(["digest", undefined]);
});
