import { afterEach, expect, it, vi } from "vitest";
import { ImageRegistry } from "./image-registry.ts";
import { makeIndex } from "./manifests.ts";

const registry = new ImageRegistry("registry.example/p/r", () => Promise.resolve(undefined));
const OCI = "application/vnd.oci.image.manifest.v1+json";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const platforms = new Map([
  ["linux/amd64", "sha256:a"],
  ["linux/arm64", "sha256:b"],
]);

/** The index of two images of these media types. */
async function indexOf(amd64: string, arm64: string): Promise<Record<string, unknown>> {
  vi.stubGlobal("fetch", (url: string) =>
    Promise.resolve(
      new Response("{}", { headers: { "Content-Type": url.endsWith("sha256:a") ? amd64 : arm64 } }),
    ),
  );
  const { manifest } = await makeIndex(registry, "hyperion-ui", platforms);
  return JSON.parse(new TextDecoder().decode(manifest?.bytes)) as Record<string, unknown>;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

it("says in an OCI index which image it is, where its source is, and under which license", async () => {
  expect(await indexOf(OCI, OCI)).toMatchObject({
    mediaType: "application/vnd.oci.image.index.v1+json",
    annotations: {
      "org.opencontainers.image.title": "hyperion-ui",
      "org.opencontainers.image.source": expect.stringMatching(
        /^https:\/\/github\.com\/[^/]+\/[^/]+$/,
      ) as string,
      "org.opencontainers.image.licenses": "MIT",
    },
  });
});

it.each([
  [DOCKER, DOCKER],
  [OCI, DOCKER],
])("gives Docker's manifest list no annotations (%s, %s)", async (amd64, arm64) => {
  const index = await indexOf(amd64, arm64);
  expect(index).toMatchObject({ mediaType: "application/vnd.docker.distribution.manifest.list.v2+json" });
  expect(index).not.toHaveProperty("annotations");
});
