import { expect, it } from "vitest";
import { ImageRegistry } from "../../components/images/registry/image-registry.ts";
import { makeIndex, putIndex } from "../../components/images/registry/manifests.ts";
import { FakeRegistry, REGISTRY_URL } from "../../test/support/fake-registry.ts";
import { builtImages, builtPlatforms, type StackRecords } from "./built-images.ts";

const OCI = "application/vnd.oci.image.manifest.v1+json";
const registry = new ImageRegistry(REGISTRY_URL, () => Promise.resolve(undefined));

const update = (message: string, startTime: string, endTime: string): object => ({
  kind: "update",
  startTime: `2026-01-01T${startTime}.000Z`,
  endTime: `2026-01-01T${endTime}.000Z`,
  message,
  result: "succeeded",
});

/** A docker.Image in the state. */
const pushed = (tag: string, platform: string, digest: string, modified: string): object => ({
  type: "docker:index/image:Image",
  modified: `2026-01-01T${modified}Z`,
  inputs: { imageName: `${REGISTRY_URL}/ui:${tag}`, build: { platform } },
  outputs: { repoDigest: `${REGISTRY_URL}/ui@${digest}` },
});

const records = (history: object[], resources: object[], digest = ""): StackRecords => ({
  history: JSON.stringify(history),
  exported: JSON.stringify({
    version: 3,
    deployment: { resources: [{ type: "pulumi:pulumi:Stack" }, ...resources] },
  }),
  images: JSON.stringify({ ui: { digest, reference: `${REGISTRY_URL}/ui@${digest}`, tags: [] } }),
});

/** Puts the index of the images of both platforms. Returns its digest. */
async function putIndexOf(amd64: string, arm64: string): Promise<string> {
  const images = new Map(Object.entries({ "linux/amd64": amd64, "linux/arm64": arm64 }));
  const { build, manifest } = await makeIndex(registry, "ui", images);
  if (manifest !== undefined) await putIndex(registry, "ui", manifest);
  return build.digest;
}

const HISTORY = [
  update("run 7", "12:00:00", "12:05:00"),
  update("run 8", "11:00:00", "11:30:00"),
  update("run 7", "10:00:00", "10:05:00"),
];

it.each([
  ["its last update", "12:04:59.9", true],
  ["an earlier attempt", "10:01:00.0", true],
  ["the last second of its update, which the history rounds", "12:05:00.7", true],
  ["another run between its attempts", "11:10:00.0", false],
  ["an update before all of them", "09:00:00.0", false],
])("a build of %s: %s", (_, modified, isOwn) => {
  const found = builtPlatforms(
    records(HISTORY, [pushed("build-amd64", "linux/amd64", "sha256:a", modified)]),
    "7",
  );
  expect(found).toEqual(new Map(isOwn ? [["ui", new Map([["linux/amd64", "sha256:a"]])]] : []));
});

it("leaves out stages, which are only published for their cache", () => {
  const stage = pushed("build-deps-amd64", "linux/amd64", "sha256:a", "12:01:00.0");
  expect(builtPlatforms(records(HISTORY, [stage]), "7")).toEqual(new Map());
});

it("returns only images for which the run built every platform", async () => {
  const fake = new FakeRegistry();
  const add = (name: string): string =>
    fake.add("ui", OCI, { config: { digest: name, size: 1 }, layers: [] });
  const [amd64, arm64] = [add("one"), add("other")];
  const digest = await putIndexOf(amd64, arm64);
  const state = (minute: string): StackRecords =>
    records(
      HISTORY,
      [
        pushed("build-arm64", "linux/arm64", arm64, `${minute}:00.0`),
        pushed("build-amd64", "linux/amd64", amd64, "12:01:00.0"),
      ],
      digest,
    );
  expect(await builtImages(state("12:02"), "7", registry)).toMatchObject([
    { name: "ui", digest, platforms: [{ digest: amd64 }, { digest: arm64 }] },
  ]);
  expect(await builtImages(state("11:02"), "7", registry)).toEqual([]);
  // A version that was released before has another build.
  const images = JSON.stringify({ ui: { digest: await putIndexOf(add("old"), arm64) } });
  expect(await builtImages({ ...state("12:02"), images }, "7", registry)).toEqual([]);
});

it("finds the image in an index that an engine pushed", async () => {
  const fake = new FakeRegistry();
  const amd64 = fake.add("ui", OCI, { config: { digest: "c", size: 1 }, layers: [] });
  const arm64 = fake.add("ui", OCI, { config: { digest: "d", size: 1 }, layers: [] });
  const child = { mediaType: OCI, digest: amd64, size: 9, platform: { os: "linux", architecture: "amd64" } };
  const wrapper = fake.add("ui", "application/vnd.oci.image.index.v1+json", { manifests: [child] });
  const digest = await putIndexOf(wrapper, arm64);
  const state = [
    pushed("build-amd64", "linux/amd64", wrapper, "12:01:00.0"),
    pushed("build-arm64", "linux/arm64", arm64, "12:01:00.0"),
  ];
  expect(await builtImages(records(HISTORY, state, digest), "7", registry)).toHaveLength(1);
});
