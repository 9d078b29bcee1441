import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import project from "../../../package.json" with { type: "json" };
import { FakeRegistry, REGISTRY_URL } from "../../../test/support/fake-registry.ts";
import { ImageRegistry } from "./image-registry.ts";
import { indexPlatforms, makeIndex, manifestDigest, platformImages, putIndex, putTag } from "./manifests.ts";

const DOCKER = "application/vnd.docker.distribution.manifest";
const OCI = "application/vnd.oci.image";
const registry = new ImageRegistry(REGISTRY_URL, () => Promise.resolve(undefined));

/** Adds an image of a media type for each platform. */
function pushed(fake: FakeRegistry, mediaType: string): Map<string, string> {
  return new Map(
    ["linux/amd64", "linux/arm64"].map((platform) => [
      platform,
      fake.add("ui", mediaType, { config: platform }),
    ]),
  );
}

describe("the index of an image's platforms", () => {
  const annotations = {
    "org.opencontainers.image.title": "ui",
    "org.opencontainers.image.source": project.repository,
    "org.opencontainers.image.licenses": "MIT",
  };

  test.each([
    // Docker's manifest list has no annotations.
    [`${DOCKER}.v2+json`, `${DOCKER}.list.v2+json`, {}],
    [`${OCI}.manifest.v1+json`, `${OCI}.index.v1+json`, { annotations }],
  ])("of %s is a %s, whose bytes depend only on the images", async (ofImages, ofIndex, besides) => {
    const fake = new FakeRegistry();
    const images = pushed(fake, ofImages);
    const { build, manifest } = await makeIndex(registry, "ui", images);
    if (manifest === undefined) throw new Error("no index");
    const text = new TextDecoder().decode(manifest.bytes);
    const manifests = [...images].map(([platform, digest]) => ({
      mediaType: ofImages,
      digest,
      size: JSON.stringify({ config: platform }).length,
      platform: { architecture: platform.slice("linux/".length), os: "linux" },
    }));
    expect(text).toBe(JSON.stringify({ schemaVersion: 2, mediaType: ofIndex, manifests, ...besides }));
    expect(build).toEqual({
      digest: `sha256:${createHash("sha256").update(text).digest("hex")}`,
      platforms: images,
    });
    await putIndex(registry, "ui", manifest);
    expect(fake.manifest("ui", build.digest)).toEqual({ mediaType: ofIndex, text });
    expect(await indexPlatforms(registry, "ui", build.digest)).toEqual(images);
    await putTag(registry, { image: "ui", tag: "1.4", digest: build.digest });
    expect(fake.tag("ui", "1.4")).toBe(build.digest);
    expect(await manifestDigest(registry, "ui", "1.4")).toBe(build.digest);
  });

  test("uses the image of the platform if an engine pushed an index", async () => {
    const fake = new FakeRegistry();
    const images = pushed(fake, `${OCI}.manifest.v1+json`);
    const amd64 = images.get("linux/amd64") ?? "";
    const of = (digest: string, os: string, architecture: string) => ({
      mediaType: `${OCI}.manifest.v1+json`,
      digest,
      size: 500,
      platform: { os, architecture },
    });
    const attested = fake.add("ui", `${OCI}.index.v1+json`, {
      manifests: [of("sha256:attestation", "unknown", "unknown"), of(amd64, "linux", "amd64")],
    });
    const { build } = await makeIndex(registry, "ui", new Map([...images, ["linux/amd64", attested]]));
    expect(build.platforms).toEqual(images);
    await expect(makeIndex(registry, "ui", new Map([...images, ["linux/arm64", attested]]))).rejects.toThrow(
      "found:   an index without an image for linux/arm64",
    );
  });

  test("is not necessary for one platform, and takes no request", async () => {
    const fake = new FakeRegistry();
    expect(await makeIndex(registry, "ui", new Map([["linux/amd64", "sha256:a"]]))).toEqual({
      build: { digest: "sha256:a", platforms: new Map() },
      manifest: undefined,
    });
    expect(fake.requests).toEqual([]);
  });

  test("reports a deleted image with the command that builds it again", async () => {
    const fake = new FakeRegistry();
    const images = pushed(fake, `${DOCKER}.v2+json`);
    await expect(
      makeIndex(registry, "ui", new Map([...images, ["linux/arm64", "sha256:gone"]])),
    ).rejects.toThrow(
      [
        `${REGISTRY_URL}/ui@sha256:gone`,
        "  found:   the registry answered 404 to a request to read it",
        "  allowed: a registry that has what this run pushed, and an account with permission to push (roles/artifactregistry.writer)",
        "  fix:     npm run pulumi -- up --replace '**docker:index/image:Image**'   # builds and pushes the images again",
      ].join("\n"),
    );
  });
});

describe("the images of an index", () => {
  const add = (fake: FakeRegistry, platform: string, layers: number[]): string => {
    const [os = "", architecture = ""] = platform.split("/");
    const config = fake.add("ui", "application/octet-stream", { os, architecture });
    return fake.add("ui", `${OCI}.manifest.v1+json`, {
      config: { digest: config, size: 1 },
      layers: layers.map((size) => ({ size })),
    });
  };

  test("have the size of their configuration and layers", async () => {
    const fake = new FakeRegistry();
    const [amd64, arm64] = [add(fake, "linux/amd64", [20, 300]), add(fake, "linux/arm64", [4000])];
    const images = new Map(Object.entries({ "linux/amd64": amd64, "linux/arm64": arm64 }));
    const { build, manifest } = await makeIndex(registry, "ui", images);
    if (manifest !== undefined) await putIndex(registry, "ui", manifest);
    expect(await platformImages(registry, "ui", build.digest)).toEqual([
      { platform: "linux/amd64", digest: amd64, bytes: 321 },
      { platform: "linux/arm64", digest: arm64, bytes: 4001 },
    ]);
  });

  test("are the image itself without an index, with the platform of its configuration", async () => {
    const fake = new FakeRegistry();
    const digest = add(fake, "linux/arm64", [4000]);
    expect(await platformImages(registry, "ui", digest)).toEqual([
      { platform: "linux/arm64", digest, bytes: 4001 },
    ]);
  });
});

test("an image has no platforms, and a missing tag has no digest", async () => {
  const fake = new FakeRegistry();
  const [digest = ""] = pushed(fake, `${DOCKER}.v2+json`).values();
  expect(await indexPlatforms(registry, "ui", digest)).toEqual(new Map());
  expect(await manifestDigest(registry, "ui", "1.4")).toBeUndefined();
});

test("an error of the registry is reported, and does not count as a missing tag", async () => {
  const fake = new FakeRegistry();
  fake.failures.push(403, 403);
  await expect(manifestDigest(registry, "ui", "1.4")).rejects.toThrow(
    `${REGISTRY_URL}/ui:1.4\n  found:   the registry answered 403 to the question whether it exists`,
  );
  await expect(
    putIndex(registry, "ui", { digest: "sha256:x", mediaType: "", bytes: new Uint8Array() }),
  ).rejects.toThrow("answered 403 to a request to put it there");
});
