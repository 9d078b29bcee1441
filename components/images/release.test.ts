import * as pulumi from "@pulumi/pulumi";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PublishedImage } from "./published-image.ts";
import { release } from "./release.ts";
import { parseSettings } from "../../settings/parse.ts";
import type { Settings } from "../../settings/schema.ts";
import { stackConfig } from "../../test/support/default-settings.ts";
import { type Declared, declare, valueOf } from "../../test/support/mocks.ts";

const HOST = "us-central1-docker.pkg.dev";
const URL = `${HOST}/production-471918/hyperion-public`;
const DIGEST = `sha256:${"a".repeat(64)}`;
const IMAGES = ["hyperion-coordinator-mcp", "hyperion-http-bridge", "hyperion-ui"];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "docker-"));
  vi.stubEnv("DOCKER_CONFIG", folder);
  writeFileSync(path.join(folder, "config.json"), JSON.stringify({ auths: { [HOST]: { auth: "dTpw" } } }));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function settings(changes: Record<string, unknown> = {}): Settings {
  const { settings, problems } = parseSettings(stackConfig(changes), []);
  expect(problems).toEqual([]);
  return settings as Settings;
}

const publish = (changes?: Record<string, unknown>) =>
  declare(() => release(settings(changes), pulumi.output(URL)));

const ofType = (resources: Declared[], type: string): Declared[] =>
  resources
    .filter((resource) => resource.type === `docker:index/${type}`)
    .sort((a, b) => (a.name < b.name ? -1 : 1));

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
    const { resources, result } = await publish({ version: "1.4.2", allowVersionOverwrite: true });
    const reference = `${URL}/hyperion-ui@${DIGEST}`;
    expect(ofType(resources, "remoteImage:RemoteImage").at(2)).toMatchObject({
      name: "hyperion-ui",
      inputs: { name: reference, keepLocally: true, pullTriggers: ["1.4.2", "1.4", "1", "latest"] },
      parent: "hyperion-ui",
    });
    const named = (name: string) => (declared: Declared) => declared.name === name;
    expect(ofType(resources, "tag:Tag").find(named("hyperion-ui-1.4"))?.inputs).toEqual({
      sourceImage: reference,
      targetImage: `${URL}/hyperion-ui:1.4`,
      tagTriggers: [reference, "1.4.2", "1.4", "1", "latest"],
    });
    expect(ofType(resources, "registryImage:RegistryImage").find(named("hyperion-ui-1.4"))?.inputs).toEqual({
      name: `${URL}/hyperion-ui:1.4`,
      keepRemotely: true,
      triggers: { digest: reference },
    });
    expect(ofType(resources, "tag:Tag")).toHaveLength(12);
    expect(ofType(resources, "registryImage:RegistryImage")).toHaveLength(12);
    const ui = result["hyperion-ui"];
    expect(ui?.tags).toEqual(["1.4.2", "1.4", "1", "latest"]);
    expect(ui && (await valueOf(ui.reference))).toBe(reference);
    expect(ui && (await valueOf(ui.digest))).toBe(DIGEST);
    expect(ui && (await valueOf(ui.pull))).toBe(`docker pull ${URL}/hyperion-ui:1.4.2`);
  });

  test("tags nothing until all three images are pushed", async () => {
    const { resources } = await publish();
    for (const remote of ofType(resources, "remoteImage:RemoteImage")) {
      expect(remote.dependsOn).toEqual(expect.arrayContaining(IMAGES));
    }
  });

  test("declares three builds, and for `latest` three resources an image, and one provider", async () => {
    const { resources } = await publish();
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
    const release = {
      version: "1.4.2",
      revision: "abc123f0".repeat(5),
      releaseDate: "2025-01-10",
      allowVersionOverwrite: true,
    };
    const plain = ofType((await publish()).resources, "image:Image").map(({ inputs }) => inputs);
    const versioned = ofType((await publish(release)).resources, "image:Image").map(({ inputs }) => inputs);
    expect(versioned).toEqual(plain);
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
});
