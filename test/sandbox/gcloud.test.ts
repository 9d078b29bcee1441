import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gcloudEnvironment, gcloudTokenFile } from "../../sandbox/services/gcloud-environment.ts";
import { mintAccessToken, MAINTAINER } from "../../sandbox/lib/tokens.ts";
import { type Servers, startServers } from "../../sandbox/emulator/testing/registry.ts";
import { failed, stdoutOf } from "../support/outcome.ts";
import { commandIn, type Outcome, runCommand } from "../support/sandbox.ts";
import { endWatch, watchSandbox } from "../support/secrets/watching.ts";

const hasGcloud = (await runCommand("gcloud", ["--version"], process.env)).code === 0;
const IMAGE = "hyperion-sandbox/hyperion-public/hyperion-ui";
const REPOSITORY = "projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public";

let dir: string;
let servers: Servers;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "hyperion-gcloud-"));
  servers = await startServers(dir);
  watchSandbox(dir);
  const file = gcloudTokenFile(dir);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await mintAccessToken(dir, MAINTAINER), { mode: 0o600 });
});

afterAll(async () => {
  await endWatch(dir);
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs gcloud, which has to succeed; returns its output. */
const gcloud = async (command: string, ...args: string[]): Promise<string> =>
  stdoutOf(await tryGcloud([...command.split(" "), ...args]));

/** Runs gcloud with additional variables; it can fail. */
function tryGcloud(args: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const env = { ...process.env, ...gcloudEnvironment(servers.emulator.port, dir), ...variables };
  return commandIn(dir, "gcloud", [...args, "--quiet"], env);
}

const gcloudJson = async (command: string, ...args: string[]): Promise<unknown> =>
  JSON.parse(await gcloud(command, ...args, "--format=json")) as unknown;

async function google(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${servers.emulator.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${await mintAccessToken(dir, MAINTAINER)}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

describe("the emulated API of the registry's contents", () => {
  let first: string;
  let second: string;

  beforeAll(async () => {
    await google("POST", "v1/projects/hyperion-sandbox/services/artifactregistry.googleapis.com:enable", {});
    const parent = REPOSITORY.slice(0, REPOSITORY.lastIndexOf("/"));
    await google("POST", `v1/${parent}?repositoryId=hyperion-public`, { format: "DOCKER" });
    first = await servers.push(IMAGE, "latest", "one");
    second = await servers.push(IMAGE, "latest", "two");
    await servers.push(IMAGE, "1.0.0", "two");
    await servers.push("hyperion-sandbox/hyperion-public/tools/lint", "latest", "three");
  });

  test("lists packages, tagged and untagged versions, and tags", async () => {
    const packages = `v1/${REPOSITORY}/packages`;
    expect(await google("GET", packages)).toMatchObject({
      body: {
        packages: [
          { name: `${REPOSITORY}/packages/hyperion-ui` },
          { name: `${REPOSITORY}/packages/tools%2Flint` },
        ],
      },
    });
    expect(await google("GET", `${packages}/tools%2Flint/tags`)).toMatchObject({
      body: { tags: [{ name: `${REPOSITORY}/packages/tools%2Flint/tags/latest` }] },
    });
    const versions = await google("GET", `${packages}/hyperion-ui/versions?view=FULL`);
    const version = (digest: string): string => `${REPOSITORY}/packages/hyperion-ui/versions/${digest}`;
    expect(versions.body).toMatchObject({
      versions: expect.arrayContaining([
        expect.objectContaining({
          name: version(second),
          relatedTags: [
            { name: `${REPOSITORY}/packages/hyperion-ui/tags/1.0.0`, version: version(second) },
            { name: `${REPOSITORY}/packages/hyperion-ui/tags/latest`, version: version(second) },
          ],
        }),
        expect.not.objectContaining({ relatedTags: expect.anything() as unknown }),
      ]) as unknown,
    });
  });

  test("reports the repository's size, with shared data counted once", async () => {
    const { dockerImages } = (await google("GET", `v1/${REPOSITORY}/dockerImages`)).body as {
      dockerImages: { imageSizeBytes: string }[];
    };
    const sum = dockerImages.reduce((bytes, { imageSizeBytes }) => bytes + Number(imageSizeBytes), 0);
    // Three images with a layer each and one shared configuration.
    const shared = JSON.stringify({ created: "2025-01-10T12:00:00Z", architecture: "amd64", os: "linux" });
    const sizeBytes = String(sum - 2 * shared.length);
    expect(await google("GET", `v1/${REPOSITORY}`)).toMatchObject({ body: { sizeBytes } });
    const list = await google("GET", `v1/${REPOSITORY.slice(0, REPOSITORY.lastIndexOf("/"))}`);
    expect(list).toMatchObject({ body: { repositories: [{ sizeBytes }] } });
  });

  test("lists dockerImages with size, type and times, in pages", async () => {
    const images = `v1/${REPOSITORY}/dockerImages`;
    const page = (await google("GET", `${images}?pageSize=2`)).body as {
      dockerImages: { uri: string }[];
      nextPageToken: string;
    };
    const rest = (await google("GET", `${images}?pageSize=2&pageToken=${page.nextPageToken}`))
      .body as typeof page;
    const all = [...page.dockerImages, ...rest.dockerImages];
    expect(all).toHaveLength(3);
    const uri = (digest: string): string => `localhost:${servers.registryPort}/${IMAGE}@${digest}`;
    expect(all.map((each) => each.uri)).toContain(uri(first));
    expect(all.find((each) => each.uri === uri(second))).toMatchObject({
      tags: ["1.0.0", "latest"],
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      imageSizeBytes: expect.stringMatching(/^\d+$/) as string,
      buildTime: "2025-01-10T12:00:00.000000Z",
      uploadTime: expect.stringMatching(/\.\d{6}Z$/) as string,
    });
  });

  test("deletes a tag, a version and a package", async () => {
    const path = `v1/${REPOSITORY}/packages/hyperion-ui`;
    expect(await google("DELETE", `${path}/tags/1.0.0`)).toEqual({ status: 200, body: {} });
    expect(await google("DELETE", `${path}/tags/1.0.0`)).toMatchObject({ status: 404 });
    expect(await google("DELETE", `${path}/versions/${second}`)).toMatchObject({ status: 400 });
    expect(await google("DELETE", `${path}/versions/${first}`)).toMatchObject({
      status: 200,
      body: { name: expect.stringContaining("/operations/") as string },
    });
    expect(await google("GET", `${path}/versions`)).toMatchObject({
      body: { versions: [{ name: expect.stringContaining(second) as string }] },
    });
    expect(await google("DELETE", `${path}/versions/${second}?force=true`)).toMatchObject({ status: 200 });
    expect(await google("DELETE", `${path}/versions/${second}`)).toMatchObject({ status: 404 });
    expect(await google("DELETE", path)).toMatchObject({ status: 404 });
    expect(await google("DELETE", `v1/${REPOSITORY}/packages/tools%2Flint`)).toMatchObject({ status: 200 });
    expect(await google("GET", `v1/${REPOSITORY}/packages`)).toEqual({ status: 200, body: {} });
  });

  test("deletes the images of a deleted repository", async () => {
    await servers.push(IMAGE, "latest", "one");
    await google("DELETE", `v1/${REPOSITORY}`);
    const parent = REPOSITORY.slice(0, REPOSITORY.lastIndexOf("/"));
    await google("POST", `v1/${parent}?repositoryId=hyperion-public`, { format: "DOCKER" });
    expect(await google("GET", `v1/${REPOSITORY}/dockerImages`)).toEqual({ status: 200, body: {} });
    await google("DELETE", `v1/${REPOSITORY}`);
  });
});

describe.skipIf(!hasGcloud)(`gcloud${hasGcloud ? "" : " (skipped: gcloud is not installed)"}`, () => {
  const LOCATION = "--location=us-central1";

  test("creates, describes, lists and updates a repository", async () => {
    await gcloud("services enable artifactregistry.googleapis.com iam.googleapis.com");
    const settings = ["--repository-format=docker", "--description=By gcloud", "--labels=app=hyperion"];
    await gcloud("artifacts repositories create hyperion-public", LOCATION, ...settings);
    expect(await gcloudJson("artifacts repositories describe hyperion-public", LOCATION)).toMatchObject({
      name: REPOSITORY,
      description: "By gcloud",
      labels: { app: "hyperion" },
      mode: "STANDARD_REPOSITORY",
      registryUri: `localhost:${servers.registryPort}/hyperion-sandbox/hyperion-public`,
    });
    expect(await gcloud("artifacts repositories list", LOCATION)).toContain("hyperion-public");
    await gcloud("artifacts repositories update hyperion-public", LOCATION, "--description=Changed");
    expect(await gcloudJson("artifacts repositories list")).toMatchObject([{ description: "Changed" }]);
  });

  test("adds and removes a binding", async () => {
    const binding = (change: "add" | "remove", member: string, role: string) =>
      gcloud(
        `artifacts repositories ${change}-iam-policy-binding hyperion-public`,
        ...[LOCATION, `--member=${member}`, `--role=roles/artifactregistry.${role}`],
      );
    await binding("add", "allUsers", "reader");
    await binding("add", "user:dana@example.com", "writer");
    await binding("remove", "allUsers", "reader");
    expect(await gcloudJson("artifacts repositories get-iam-policy hyperion-public", LOCATION)).toMatchObject(
      {
        bindings: [{ role: "roles/artifactregistry.writer", members: ["user:dana@example.com"] }],
      },
    );
  });

  test("lists images with their tags", async () => {
    const digest = await servers.push(IMAGE, "latest", "one");
    const repository = "us-central1-docker.pkg.dev/hyperion-sandbox/hyperion-public";
    for (const path of [repository, `${repository}/hyperion-ui`])
      expect(await gcloudJson("artifacts docker images list", path, "--include-tags")).toMatchObject([
        { version: digest },
      ]);
    expect(await gcloud("artifacts docker images list", repository, "--include-tags")).toMatch(
      /hyperion-ui +sha256:\w+ +latest/,
    );
    expect(await gcloud("artifacts docker tags list", `${repository}/hyperion-ui`)).toContain("latest");
  });

  test("adds, moves and deletes a tag", async () => {
    const image = "us-central1-docker.pkg.dev/hyperion-sandbox/hyperion-public/hyperion-ui";
    const list = () => gcloud("artifacts docker tags list", image, "--format=value(tag,version)");
    const other = await servers.push(IMAGE, "other", "two");
    await gcloud("artifacts docker tags add", `${image}:latest`, `${image}:1.0.0`);
    expect(await list()).toContain("1.0.0");
    await gcloud("artifacts docker tags add", `${image}:other`, `${image}:1.0.0`);
    expect(await list()).toMatch(new RegExp(`1\\.0\\.0\\s+\\S*${other}`));
    await gcloud("artifacts docker tags delete", `${image}:1.0.0`);
    expect(await list()).not.toContain("1.0.0");
  });

  test("lists and describes service accounts", async () => {
    const email = "hyperion-ci@hyperion-sandbox.iam.gserviceaccount.com";
    await gcloud("iam service-accounts create hyperion-ci", "--display-name=Hyperion CI");
    expect(await gcloudJson("iam service-accounts list")).toMatchObject([{ email }]);
    expect(await gcloudJson("iam service-accounts describe", email)).toMatchObject({
      displayName: "Hyperion CI",
    });
  });

  test("reports a missing permission in Google's words", async () => {
    const token = await mintAccessToken(dir, "user:dana@example.com");
    const file = join(dir, "dana");
    writeFileSync(file, token, { mode: 0o600 });
    const args = ["artifacts", "repositories", "delete", "hyperion-public", LOCATION];
    const output = failed(await tryGcloud(args, { CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: file }));
    expect(output).toContain("Permission 'artifactregistry.repositories.delete' denied on resource");
  });

  test("deletes a repository", async () => {
    await gcloud("artifacts repositories delete hyperion-public", LOCATION);
    expect(await gcloudJson("artifacts repositories list", LOCATION)).toEqual([]);
  });
});
