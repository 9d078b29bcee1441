import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { fakeGoogle, keptTags, logged } from "../../test/support/fake-google.ts";
import { FakeRegistry, REGISTRY_URL } from "../../test/support/fake-registry.ts";
import { ACCESS_TOKEN, declare, type Declared, valueOf } from "../../test/support/mocks.ts";
import { nativePlatform } from "../../test/support/native-build.ts";
import { useScratch } from "../../test/support/scratch.ts";
import { catalogue } from "./catalogue.ts";
import { ImageBuild } from "./image-build.ts";
import {
  checkTags,
  PublishedImages,
  type PublishedImagesArgs,
  readTags,
  type ReleasedImage,
} from "./published-images.ts";
import { platformTag } from "./tags/names.ts";

const names = catalogue.images.map(({ name }) => name);
const [first = ""] = names;
const repository = { project: "production-471918", location: "us-central1", repositoryId: "hyperion-public" };
const PLATFORMS = ["linux/amd64", "linux/arm64"];
const HOST = REGISTRY_URL.replace(/\/.*/, "");
const OCI = "application/vnd.oci.image.manifest.v1+json";

const docker = useScratch();

beforeEach(() => {
  vi.stubEnv("DOCKER_CONFIG", docker.folder);
  docker.write("config.json", JSON.stringify({ auths: { [HOST]: { auth: "dTpw" } } }));
});

interface Given extends Partial<PublishedImagesArgs> {
  preview?: boolean;
  /** Whether the digests of the images are known. */
  built?: boolean;
  /** Tags of every image before the run. Default: those of the earlier run. */
  before?: Record<string, string>;
}

/** A repository to publish to. Every run pushes the same images. */
class Place {
  readonly fake = new FakeRegistry();
  readonly tags: Record<string, Record<string, string>> = Object.fromEntries(names.map((name) => [name, {}]));
  readonly lines = logged();

  async publish({ preview = false, built = true, before = {}, platforms = PLATFORMS, ...args }: Given = {}) {
    for (const name of names) Object.assign(this.tags[name] ?? {}, before);
    const requests = await fakeGoogle(keptTags(this.tags));
    const pushed = Object.fromEntries(
      names.flatMap((name) =>
        platforms.map((platform) => [
          `${REGISTRY_URL}/${name}:${platformTag(platform)}`,
          this.fake.add(name, OCI, { name, platform }),
        ]),
      ),
    );
    const run = async (): Promise<Record<string, ReleasedImage> | undefined> => {
      const { images } = new PublishedImages("images", {
        repository,
        registryUrl: pulumi.output(REGISTRY_URL),
        tags: await readTags(repository),
        release: { version: "1.4.2" },
        sourceDir: "sources",
        platforms,
        buildArgs: {},
        buildCache: "local",
        buildOnPreview: false,
        ...args,
      });
      if (preview && !built) return undefined;
      const values = await Promise.all(Object.values(images).map(valueOf));
      return Object.fromEntries(values.map((image, index) => [names[index] ?? "", image]));
    };
    const { resources, result } = await declare(run, preview, built ? pushed : {});
    return {
      builds: resources.filter(({ type }) => type.startsWith("docker:")),
      result,
      resources,
      requests,
    };
  }
}

const shape = ({ name, parent, inputs }: Declared) => ({ name, parent, inputs });

describe("an image", () => {
  test.each([[PLATFORMS], [["linux/arm64"]]])(
    "is one build for each platform of %j, and no resource for a tag",
    async (platforms) => {
      const place = new Place();
      const { builds, resources } = await place.publish({ platforms, buildArgs: { [first]: { A: "b" } } });
      const expected = catalogue.images.flatMap(({ name, context, dockerfile }) =>
        platforms.map((platform) => {
          const architecture = platform.slice("linux/".length);
          return {
            name: `${name}-${architecture}`,
            parent: name,
            inputs: {
              imageName: `${REGISTRY_URL}/${name}:build-${architecture}`,
              build: {
                context: `sources/${context}`,
                dockerfile: `sources/${context}/${dockerfile}`,
                platform,
                args: name === first ? { A: "b" } : {},
              },
              buildOnPreview: false,
              skipPush: false,
            },
          };
        }),
      );
      const byName = (one: { name: string }, other: { name: string }): number =>
        one.name < other.name ? -1 : 1;
      expect(builds.map(shape).sort(byName)).toEqual(expected.sort(byName));
      const others = resources.filter((resource) => !builds.includes(resource));
      expect(others.map(({ type, name }) => `${type} ${name}`).sort()).toEqual(
        [
          "hyperion:registry:PublishedImages images",
          "pulumi:providers:docker registry",
          ...names.map((name) => `hyperion:registry:ImageBuild ${name}`),
        ].sort(),
      );
      expect(others.find(({ name }) => name === "registry")?.inputs["registryAuth"]).toBe(
        JSON.stringify([{ address: HOST }]),
      );
    },
  );

  test("builds only the machine's own platform at preview with buildOnPreview", async () => {
    const { builds } = await new Place().publish({ buildOnPreview: true, preview: true });
    for (const { inputs } of builds)
      expect([inputs["buildOnPreview"], inputs["build"]]).toEqual([
        (inputs["build"] as { platform: string }).platform === nativePlatform,
        expect.anything(),
      ]);
    expect(builds.some(({ inputs }) => inputs["buildOnPreview"] === true)).toBe(true);
  });

  test("reuses layers of the last build and of the cached stage from the registry", async () => {
    const image = { name: "ui", context: "ui", dockerfile: "Dockerfile", cacheStage: "deps" };
    const { resources } = await declare(
      async () => {
        const place = { image, sourceDir: ".", registryUrl: REGISTRY_URL, platforms: ["linux/arm64"] };
        const args = { ...place, buildArgs: {}, buildOnPreview: undefined, cacheFromRegistry: true };
        await valueOf(new ImageBuild("ui", args).digests);
      },
      false,
      { [`${REGISTRY_URL}/ui:build-arm64`]: "sha256:a" },
    );
    const builds = resources.filter(({ type }) => type.startsWith("docker:"));
    const [stage, whole] = ["build-deps-arm64", "build-arm64"].map((tag) => `${REGISTRY_URL}/ui:${tag}`);
    const args = { BUILDKIT_INLINE_CACHE: "1" };
    expect(builds.map(({ name, inputs }) => [name, inputs["imageName"], inputs["build"]])).toEqual([
      [
        "ui-deps-arm64",
        stage,
        expect.objectContaining({ target: "deps", args, cacheFrom: { images: [stage] } }),
      ],
      ["ui-arm64", whole, expect.objectContaining({ args, cacheFrom: { images: [stage, whole] } })],
    ]);
  });
});

test("up puts an index for each image, sets the tags, prints the changes and returns what to pull", async () => {
  const place = new Place();
  const { result } = await place.publish();
  for (const name of names) {
    const tags = place.tags[name] ?? {};
    const digest = tags["build"] ?? "";
    expect(tags).toMatchObject({
      "1.4.2": digest,
      "v1.4.2": digest,
      "1.4": digest,
      "1": digest,
      latest: digest,
    });
    const index = JSON.parse(place.fake.manifest(name, digest)?.text ?? "{}") as object;
    expect(index).toMatchObject({
      manifests: PLATFORMS.map((platform) => ({
        digest: tags[platformTag(platform, { version: "1.4.2" })],
        platform: { architecture: platform.slice("linux/".length) },
      })),
    });
    expect(result?.[name]).toEqual({
      reference: `${REGISTRY_URL}/${name}@${digest}`,
      digest,
      tags: ["1.4.2", "1.4", "1", "latest", "v1.4.2"],
      pull: `docker pull ${REGISTRY_URL}/${name}:1.4.2`,
    });
  }
  expect(place.lines.info).toEqual([
    names
      .map(
        (name) =>
          `${name}: 1.4.2, v1.4.2, 1.4, 1, latest -> ${place.tags[name]?.["build"]?.slice(0, 19) ?? ""}`,
      )
      .join("\n"),
  ]);
  const login = Buffer.from(`oauth2accesstoken:${ACCESS_TOKEN}`).toString("base64");
  expect(new Set(place.fake.logins)).toEqual(new Set([`Basic ${login}`]));
});

test.each([false, true])(
  "without changes only reads the tags, and prints nothing; preview: %j",
  async (preview) => {
    const place = new Place();
    await place.publish();
    place.lines.info.length = 0;
    place.fake.requests.length = 0;
    const { requests } = await place.publish({ preview });
    expect(place.lines.info).toEqual([]);
    expect(requests.map(({ what }) => what.replace(/ .*/, ""))).toEqual(names.map(() => "GET"));
    expect(place.fake.requests.filter((request) => request.startsWith("PUT"))).toEqual([]);
  },
);

test("a preview of a new version prints a line for each image, and only reads", async () => {
  const place = new Place();
  await place.publish();
  place.lines.info.length = 0;
  place.fake.requests.length = 0;
  const { requests, result } = await place.publish({ preview: true, release: { version: "1.4.3" } });
  expect(place.lines.info).toEqual([
    names
      .map((name) => {
        const digest = place.tags[name]?.["build"]?.slice(0, 19) ?? "";
        return `${name}: 1.4.3, v1.4.3 -> ${digest}`;
      })
      .join("\n"),
  ]);
  expect(result?.[first]?.tags).toEqual(["1.4.3", "1.4", "1", "latest", "v1.4.3"]);
  expect(requests.filter(({ what }) => !what.startsWith("GET"))).toEqual([]);
  expect(place.fake.requests.filter((request) => request.startsWith("PUT"))).toEqual([]);
});

test("a preview calls an unknown build new", async () => {
  const place = new Place();
  await place.publish({ preview: true, built: false });
  const lines = names.map((name) => `${name}: 1.4.2, v1.4.2, 1.4, 1, latest -> a new build`);
  await expect.poll(() => place.lines.info).toEqual([lines.join("\n")]);
});

test("a preview warns of an unfinished run with another build of this version", async () => {
  const place = new Place();
  const before = { "build-1.4.2": "sha256:other" };
  await place.publish({ preview: true, before });
  expect(place.lines.warn).toEqual([
    expect.stringMatching(new RegExp(`^${first}:build-1\\.4\\.2\\n`, "m")) as string,
  ]);
});

test("reads no tags without publishImages", async () => {
  const requests = await fakeGoogle({});
  expect(await checkTags(false, repository)).toEqual({ found: new Map(), problems: [] });
  expect(requests).toEqual([]);
});
