import { expect, test } from "vitest";
import { summary } from "./summary.ts";

const outputs = {
  registryUrl: "localhost:20001/p/r",
  publicAccess: false,
  images: {
    "hyperion-ui": {
      digest: "sha256:abc",
      tags: ["1.0.0", "latest"],
      pull: "docker pull localhost:20001/p/r/hyperion-ui:1.0.0",
    },
  },
};

test("shows the registry, each image with its tags and digest, and commands to try", () => {
  const text = summary(outputs, []);
  expect(text).toContain("Registry  localhost:20001/p/r  (public: no)");
  expect(text).toContain("  hyperion-ui  1.0.0, latest  sha256:abc");
  expect(text).toContain("  docker pull localhost:20001/p/r/hyperion-ui:1.0.0");
  expect(text).toContain("npm run sandbox -- down");
  expect(text).not.toContain("fake");
});

test("names the fake providers", () => {
  expect(summary({ ...outputs, images: {} }, ["gcp", "docker"])).toContain(
    "fake providers for gcp and docker",
  );
});
