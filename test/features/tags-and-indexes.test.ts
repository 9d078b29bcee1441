/** The emulated API of tags and versions with a real registry, without an engine or a stack. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Servers, startServers } from "../../sandbox/emulator/testing/registry.ts";
import { mintAccessToken, MAINTAINER } from "../../sandbox/lib/tokens.ts";

const REPOSITORY = "projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public";
const IMAGE = "hyperion-sandbox/hyperion-public/tools/lint";
const PACKAGE = `${REPOSITORY}/packages/tools%2Flint`;
const READER = "user:reader@example.com";
const WRITER = "user:writer@example.com";

let dir: string;
let servers: Servers;
let one: string;
let two: string;
let index: string;

async function google(method: string, path: string, body?: object, as = WRITER) {
  const response = await fetch(`${servers.emulator.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${await mintAccessToken(dir, as)}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const version = (digest: string, of = PACKAGE) => `${of}/versions/${digest}`;
const create = (tag: string, digest: string, as?: string) =>
  google("POST", `v1/${PACKAGE}/tags?tagId=${tag}`, { name: "", version: version(digest) }, as);
const move = (tag: string, digest: string, as?: string) =>
  google(
    "PATCH",
    `v1/${PACKAGE}/tags/${tag}?updateMask=version`,
    { name: `${PACKAGE}/tags/${tag}`, version: version(digest) },
    as,
  );
const get = (tag: string, as?: string) => google("GET", `v1/${PACKAGE}/tags/${tag}`, undefined, as);
const answer = (tag: string, digest: string) => ({
  status: 200,
  body: { name: `${PACKAGE}/tags/${tag}`, version: version(digest) },
});
const error = (status: number, code: string, message = "") => ({
  status,
  body: { error: { status: code, message: expect.stringContaining(message) as string } },
});

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "hyperion-tags-"));
  servers = await startServers(dir);
  const parent = REPOSITORY.slice(0, REPOSITORY.lastIndexOf("/"));
  const project = "v1/projects/hyperion-sandbox";
  await google("POST", `${project}/services/artifactregistry.googleapis.com:enable`, {}, MAINTAINER);
  await google("POST", `v1/${parent}?repositoryId=hyperion-public`, { format: "DOCKER" }, MAINTAINER);
  const bindings = [
    { role: "roles/artifactregistry.reader", members: [READER] },
    { role: "roles/artifactregistry.writer", members: [WRITER] },
  ];
  await google("POST", `v1/${REPOSITORY}:setIamPolicy`, { policy: { bindings } }, MAINTAINER);
  one = await servers.push(IMAGE, "build-amd64", "one");
  two = await servers.push(IMAGE, "build-arm64", "two");
  index = await servers.pushIndex(IMAGE, "build", { amd64: one, arm64: two });
});

afterAll(async () => {
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe("a tag", () => {
  test("is created once, on an image and on an index", async () => {
    expect(await create("build-amd64-1.4.2", one)).toEqual(answer("build-amd64-1.4.2", one));
    expect(await create("build-1.4.2", index)).toEqual(answer("build-1.4.2", index));
    expect(await create("build-1.4.2", index)).toMatchObject(error(409, "ALREADY_EXISTS"));
    expect(await get("build-1.4.2", READER)).toEqual(answer("build-1.4.2", index));
    const pulled = await servers.manifest(IMAGE, "build-1.4.2");
    expect(pulled).toMatchObject({
      digest: index,
      manifest: { manifests: [{ digest: one }, { digest: two }] },
    });
  });

  test("is created by exactly one of several concurrent requests", async () => {
    const answers = await Promise.all([one, two, index].map((digest) => create("at-once", digest)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const winner = answers.find(({ status }) => status === 200);
    expect(await get("at-once")).toEqual(winner);
  });

  test("is moved only if it exists", async () => {
    await create("latest", one);
    expect(await move("latest", index)).toEqual(answer("latest", index));
    expect(await get("latest")).toEqual(answer("latest", index));
    expect(await move("nothing", index)).toMatchObject(error(404, "NOT_FOUND"));
    expect(await get("nothing")).toMatchObject(error(404, "NOT_FOUND"));
  });

  test("points only to an existing version of its package", async () => {
    const missing = `sha256:${"0".repeat(64)}`;
    expect(await create("missing", missing)).toMatchObject(error(404, "NOT_FOUND"));
    expect(await move("latest", missing)).toMatchObject(error(404, "NOT_FOUND"));
    const elsewhere = version(one, `${REPOSITORY}/packages/other`);
    for (const name of ["", one, elsewhere])
      expect(await google("POST", `v1/${PACKAGE}/tags?tagId=elsewhere`, { version: name })).toMatchObject(
        error(400, "INVALID_ARGUMENT", `Invalid version "${name}"`),
      );
    expect(await create(".dot", one)).toMatchObject(error(400, "INVALID_ARGUMENT", 'Invalid tag ".dot"'));
  });

  test("changes only its version", async () => {
    const path = `v1/${PACKAGE}/tags/latest?updateMask=name`;
    expect(await google("PATCH", path, { version: version(one) })).toMatchObject(
      error(400, "INVALID_ARGUMENT", "update_mask"),
    );
  });

  test.each([
    ["reader", "create", () => create("no", one, READER)],
    ["reader", "update", () => move("latest", one, READER)],
    ["reader", "delete", () => google("DELETE", `v1/${PACKAGE}/tags/latest`, undefined, READER)],
    ["writer", "delete", () => google("DELETE", `v1/${PACKAGE}/tags/latest`)],
  ])("is refused if a %s lacks the permission to %s it", async (_, verb, ask) => {
    expect(await ask()).toMatchObject(error(403, "PERMISSION_DENIED", `artifactregistry.tags.${verb}`));
  });

  test("is listed, in pages and by version", async () => {
    const all: string[] = [];
    let token = "";
    do {
      const query = new URLSearchParams({ pageSize: "3", pageToken: token }).toString();
      const { body } = await google("GET", `v1/${PACKAGE}/tags?${query}`, undefined, READER);
      all.push(...(body["tags"] as { name: string }[]).map(({ name }) => name.replace(/.*\//, "")));
      token = (body["nextPageToken"] as string | undefined) ?? "";
    } while (token !== "");
    expect(all).toEqual([
      "at-once",
      "build",
      "build-1.4.2",
      "build-amd64",
      "build-amd64-1.4.2",
      "build-arm64",
      "latest",
    ]);
    const filter = new URLSearchParams({ filter: `version="${version(two)}"` }).toString();
    const { body } = await google("GET", `v1/${PACKAGE}/tags?${filter}`, undefined, READER);
    expect(body["tags"]).toContainEqual(answer("build-arm64", two).body);
  });

  test("does not move in a repository with immutable tags", async () => {
    const immutable = (immutableTags: boolean) =>
      google(
        "PATCH",
        `v1/${REPOSITORY}?updateMask=dockerConfig`,
        { dockerConfig: { immutableTags } },
        MAINTAINER,
      );
    await immutable(true);
    expect(await create("new", one)).toMatchObject({ status: 200 });
    expect(await move("new", two)).toMatchObject(error(400, "FAILED_PRECONDITION", "immutab"));
    const remove = () => google("DELETE", `v1/${PACKAGE}/tags/new`, undefined, MAINTAINER);
    expect(await remove()).toMatchObject(error(400, "FAILED_PRECONDITION", "immutab"));
    await immutable(false);
    expect(await remove()).toMatchObject({ status: 200 });
  });
});

describe("an index", () => {
  const remove = (digest: string) =>
    google("DELETE", `v1/${version(digest)}?force=true`, undefined, MAINTAINER);
  const versions = async () => {
    const { body } = await google("GET", `v1/${PACKAGE}/versions`, undefined, READER);
    return (body["versions"] as { name: string }[]).map(({ name }) => name);
  };
  const allowed = (childDeletion: "refused" | "allowed") =>
    google("PUT", "sandbox/child-deletion", { childDeletion }, MAINTAINER);

  test("is listed as a version besides its images, and refers to them", async () => {
    expect(await versions()).toHaveLength(3);
    const images = await google("GET", `v1/${REPOSITORY}/dockerImages`, undefined, READER);
    const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
    expect(images.body["dockerImages"]).toContainEqual(
      expect.objectContaining({
        mediaType: "application/vnd.docker.distribution.manifest.list.v2+json",
        imageManifests: [
          { architecture: "amd64", os: "linux", digest: one, mediaType },
          { architecture: "arm64", os: "linux", digest: two, mediaType },
        ],
      }),
    );
  });

  test("protects its images until it is deleted", async () => {
    const message = `GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE: Manifest ${one} is referenced by image ${index}`;
    expect(await remove(one)).toMatchObject(error(400, "FAILED_PRECONDITION", message));
    expect(await versions()).toContain(version(one));
    expect(await remove(index)).toMatchObject({ status: 200 });
    expect(await remove(one)).toMatchObject({ status: 200 });
  });

  test("loses an image if Google allows the deletion", async () => {
    one = await servers.push(IMAGE, "build-amd64", "one");
    index = await servers.pushIndex(IMAGE, "build", { amd64: one, arm64: two });
    await allowed("allowed");
    expect(await remove(one)).toMatchObject({ status: 200 });
    expect(await versions()).toContain(version(index));
    await allowed("refused");
  });
});
