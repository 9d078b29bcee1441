import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { decideRelease } from "./decide-release.ts";
import { PublishedImage } from "./published-image.ts";
import { release } from "./release.ts";
import { allSound } from "../../problems/checks.ts";
import { parseSettings } from "../../settings/parse.ts";
import type { Settings } from "../../settings/schema.ts";
import { stackConfig } from "../../test/support/default-settings.ts";
import { type Answers, fakeGoogle, logged, tagLists } from "../../test/support/fake-google.ts";
import { type Declared, declare, type StackState, valueOf } from "../../test/support/mocks.ts";
import { useScratch } from "../../test/support/scratch.ts";

const HOST = "us-central1-docker.pkg.dev";
const URL = `${HOST}/production-471918/hyperion-public`;
const DIGEST = `sha256:${"a".repeat(64)}`;
const IMAGES = ["hyperion-coordinator-mcp", "hyperion-http-bridge", "hyperion-ui"];

const docker = useScratch();

beforeEach(() => {
  vi.stubEnv("DOCKER_CONFIG", docker.folder);
  docker.write("config.json", JSON.stringify({ auths: { [HOST]: { auth: "dTpw" } } }));
});

function settings(changes: Record<string, unknown> = {}): Settings {
  const { settings, problems } = parseSettings(stackConfig(changes), []);
  expect(problems).toEqual([]);
  return settings as Settings;
}

/** Publishes, with these settings, to a registry that holds these tags; by default the tip of main. */
async function publish(
  changes: Record<string, unknown> = {
    revision: "abc123f0".repeat(5),
    releaseDate: "2025-01-10",
    edge: true,
  },
  {
    tags = {},
    answers = tagLists(Object.fromEntries(IMAGES.map((image) => [image, tags]))),
    preview = true,
    state,
  }: { tags?: Record<string, string>; answers?: Answers; preview?: boolean; state?: StackState } = {},
) {
  const requests = await fakeGoogle(answers);
  const run = async () => {
    const values = settings(changes);
    const [decision] = await allSound(decideRelease(values, state?.outputs ?? {}));
    return release(values, pulumi.output(URL), decision);
  };
  return { ...(await declare(run, preview, state)), requests };
}

const ofType = (resources: Declared[], type: string): Declared[] =>
  resources
    .filter((resource) => resource.type === `docker:index/${type}`)
    .sort((a, b) => (a.name < b.name ? -1 : 1));

const named = (name: string) => (declared: Declared) => declared.name === name;

describe("release", () => {
  test("builds each image of the catalogue once, under the fixed tag", async () => {
    const { resources } = await publish();
    const builds = ofType(resources, "image:Image");
    expect(builds.map(({ name, parent }) => [name, parent])).toEqual(IMAGES.map((name) => [name, name]));
    expect(builds[1]?.inputs).toEqual({
      imageName: `${URL}/hyperion-http-bridge:build`,
      build: {
        context: "coordinator",
        dockerfile: "coordinator/mcp-http-bridge/Dockerfile.combined",
        platform: "linux/amd64",
        args: {},
      },
      buildOnPreview: false,
      skipPush: false,
    });
  });

  test("puts every tag on the digest by RemoteImage, Tag and RegistryImage", async () => {
    const { resources, result } = await publish({ version: "1.4.2" });
    const tags = ["1.4.2", "1.4", "1", "latest", "v1.4.2"];
    const reference = `${URL}/hyperion-ui@${DIGEST}`;
    expect(ofType(resources, "remoteImage:RemoteImage").at(2)).toMatchObject({
      name: "hyperion-ui",
      inputs: { name: reference, keepLocally: true, pullTriggers: tags },
      parent: "hyperion-ui",
    });
    expect(ofType(resources, "tag:Tag").find(named("hyperion-ui-1.4"))?.inputs).toEqual({
      sourceImage: reference,
      targetImage: `${URL}/hyperion-ui:1.4`,
      tagTriggers: [reference, "1.4"],
    });
    expect(ofType(resources, "registryImage:RegistryImage").find(named("hyperion-ui-1.4"))?.inputs).toEqual({
      name: `${URL}/hyperion-ui:1.4`,
      keepRemotely: true,
      triggers: { digest: reference },
    });
    expect(ofType(resources, "tag:Tag")).toHaveLength(tags.length * IMAGES.length);
    expect(ofType(resources, "registryImage:RegistryImage")).toHaveLength(tags.length * IMAGES.length);
    const ui = result["hyperion-ui"];
    expect(ui?.tags).toEqual(tags);
    expect(ui && (await valueOf(ui.reference))).toBe(reference);
    expect(ui && (await valueOf(ui.digest))).toBe(DIGEST);
    expect(ui && (await valueOf(ui.pull))).toBe(`docker pull ${URL}/hyperion-ui:1.4.2`);
  });

  test("tags nothing until all images are pushed, nothing floating until all have the version, and v1.4.2 last", async () => {
    const { resources } = await publish({ version: "1.4.2" });
    const waits = (tag: string) =>
      ofType(resources, "registryImage:RegistryImage").find(named(`hyperion-ui-${tag}`))?.dependsOn;
    for (const remote of ofType(resources, "remoteImage:RemoteImage"))
      expect(remote.dependsOn).toEqual(expect.arrayContaining(IMAGES));
    expect(waits("1.4.2")).toEqual(expect.arrayContaining(IMAGES));
    expect(waits("1.4")).toEqual(expect.arrayContaining(IMAGES.map((image) => `${image}-1.4.2`)));
    expect(waits("v1.4.2")).toEqual(expect.arrayContaining(IMAGES.map((image) => `${image}-latest`)));
  });

  test("declares a build of each image, and for `latest` three resources an image, and one provider", async () => {
    const { resources } = await publish({});
    const counts: Record<string, number> = {};
    for (const { type } of resources) counts[type] = (counts[type] ?? 0) + 1;
    expect(counts).toEqual({
      "pulumi:providers:docker": 1,
      "hyperion:registry:PublishedImage": 3,
      "docker:index/image:Image": 3,
      "docker:index/remoteImage:RemoteImage": 3,
      "docker:index/tag:Tag": 3,
      "docker:index/registryImage:RegistryImage": 3,
    });
  });

  test("no login reaches the provider", async () => {
    const { resources } = await publish();
    const provider = resources.find(({ type }) => type === "pulumi:providers:docker");
    expect(JSON.parse(String(provider?.inputs["registryAuth"]))).toEqual([{ address: HOST }]);
  });

  test.each([
    [
      "build arguments go to their image",
      { buildArgs: { "hyperion-ui": { A: "b" } } },
      2,
      "build.args",
      { A: "b" },
    ],
    ["and to no other", { buildArgs: { "hyperion-ui": { A: "b" } } }, 0, "build.args", {}],
    [
      "buildCache: registry reuses the last build",
      { buildCache: "registry" },
      0,
      "build.cacheFrom.images",
      [`${URL}/hyperion-coordinator-mcp:build`],
    ],
    [
      "buildCache: registry publishes the layers for the next build",
      { buildCache: "registry", buildArgs: { "hyperion-ui": { A: "b" } } },
      2,
      "build.args",
      { A: "b", BUILDKIT_INLINE_CACHE: "1" },
    ],
    ["buildOnPreview", { buildOnPreview: true }, 0, "buildOnPreview", true],
    ["platform", { platform: "linux/arm64" }, 0, "build.platform", "linux/arm64"],
    [
      "sourceDir",
      { sourceDir: "sandbox/hyperion" },
      0,
      "build.context",
      "sandbox/hyperion/coordinator/mcp-server",
    ],
  ] as const)("%s", async (_, change, index, property, expected) => {
    const { resources } = await publish(change);
    expect(ofType(resources, "image:Image")[index]?.inputs).toHaveProperty(property, expected);
  });

  test("nothing about a release enters a build", async () => {
    const plain = ofType((await publish({})).resources, "image:Image").map(({ inputs }) => inputs);
    const versioned = ofType((await publish({ version: "1.4.2" })).resources, "image:Image");
    expect(versioned.map(({ inputs }) => inputs)).toEqual(plain);
  });

  describe("an image whose Dockerfile names the stage that does the work", () => {
    const image = {
      name: "hyperion-ui",
      context: "coordinator/ui",
      dockerfile: "Dockerfile",
      cacheStage: "build",
    };
    const builds = async (cacheFromRegistry: boolean) => {
      const { resources } = await declare(() => {
        const args = { image, sourceDir: ".", registryUrl: URL, platform: "linux/amd64", cacheFromRegistry };
        return new PublishedImage(image.name, args);
      });
      return ofType(resources, "image:Image");
    };
    const own = `${URL}/hyperion-ui:build`;

    test("publishes that stage first, with buildCache: registry, and reuses both", async () => {
      const [whole, stage] = await builds(true);
      expect(stage).toMatchObject({
        name: "hyperion-ui-build",
        parent: "hyperion-ui",
        inputs: {
          imageName: `${own}-build`,
          build: {
            target: "build",
            args: { BUILDKIT_INLINE_CACHE: "1" },
            cacheFrom: { images: [`${own}-build`] },
          },
        },
      });
      expect(whole?.inputs).toMatchObject({
        imageName: own,
        build: { cacheFrom: { images: [`${own}-build`, own] } },
      });
      expect(whole?.inputs["build"]).not.toHaveProperty("target");
      // Its layers are there when the image is built.
      expect(whole?.dependsOn).toContain("hyperion-ui-build");
    });

    test("is one build otherwise", async () => {
      expect((await builds(false)).map(({ name }) => name)).toEqual(["hyperion-ui"]);
    });
  });

  test("asks one question an image at preview", async () => {
    expect((await publish()).requests).toHaveLength(IMAGES.length);
  });
});

describe("a published version", () => {
  const PUBLISHED = `sha256:${"b".repeat(64)}`;
  const TAGS = ["1.4.2", "v1.4.2", "build-1.4.2", "1.4", "1", "latest"];
  const tags = Object.fromEntries(TAGS.map((tag) => [tag, PUBLISHED]));
  const reference = `${URL}/hyperion-ui@${PUBLISHED}`;
  const state: StackState = {
    outputs: { registryUrl: URL },
    resources: {
      tag: {
        type: "docker:index/tag:Tag",
        outputs: { targetImage: `${URL}/hyperion-ui:latest`, tagTriggers: ["1.4.2", "latest", reference] },
      },
      pushed: {
        type: "docker:index/registryImage:RegistryImage",
        outputs: { name: `${URL}/hyperion-ui:latest`, triggers: { digest: reference } },
      },
    },
  };

  test("is declared as the state has it, and told with its digest", async () => {
    const { resources, result } = await publish({ version: "1.4.2" }, { tags, state });
    const declared = resources.filter(({ type }) => /tag:Tag|RegistryImage|RemoteImage/.test(type));
    expect(declared.map(({ name, inputs }) => [name, inputs])).toEqual([
      [
        "hyperion-ui-latest",
        {
          sourceImage: reference,
          targetImage: `${URL}/hyperion-ui:latest`,
          tagTriggers: [reference, "1.4.2", "latest"],
        },
      ],
      [
        "hyperion-ui-latest",
        { name: `${URL}/hyperion-ui:latest`, keepRemotely: true, triggers: { digest: reference } },
      ],
    ]);
    const ui = result["hyperion-ui"];
    expect(ui?.tags).toEqual(["1.4.2", "1.4", "1", "latest", "v1.4.2"]);
    expect(ui && (await valueOf(ui.reference))).toBe(reference);
  });

  test("says in one line that the sources are others", async () => {
    const lines = logged();
    await publish({ version: "1.4.2" }, { tags });
    const images = "hyperion-coordinator-mcp, hyperion-http-bridge and hyperion-ui";
    expect(lines.info).toEqual([
      `The sources of ${images} differ from 1.4.2, which stays as it is. To publish them: npm run release -- 1.4.3`,
    ]);
  });

  test("that was withdrawn is refused before anything is declared", async () => {
    await expect(publish({ version: "1.4.2" }, { tags: { "withdrawn-1.4.2": PUBLISHED } })).rejects.toThrow(
      "1 problem; nothing was changed.\n\nhyperion-registry:version\n  found:   1.4.2, which was withdrawn",
    );
  });

  test("lets no tag be declared without a version, and is named in the line that says so", async () => {
    const lines = logged();
    const { resources, result } = await publish({}, { tags, state });
    expect(ofType(resources, "tag:Tag")).toEqual([]);
    expect(lines.info).toEqual([
      "No version is named, so that no tag is declared; what is published stays in the registry. To name it: pulumi config set hyperion-registry:version 1.4.2",
    ]);
    const ui = result["hyperion-ui"];
    expect(ui && (await valueOf(ui.pull))).toBe(`docker pull ${URL}/hyperion-ui@${DIGEST}`);
  });

  test("is declared as the state has it while the API is disabled", async () => {
    const disabled = { status: 403, body: { error: { reason: "SERVICE_DISABLED" } } };
    const answers = Object.fromEntries(
      Object.keys(tagLists({ "hyperion-ui": {} })).map((list) => [list, disabled]),
    );
    logged();
    const { resources } = await publish({}, { answers, state });
    const tag = ofType(resources, "tag:Tag").find(named("hyperion-ui-latest"));
    expect(tag?.inputs["tagTriggers"]).toEqual([`${URL}/hyperion-ui@${DIGEST}`, "1.4.2", "latest"]);
  });
});
