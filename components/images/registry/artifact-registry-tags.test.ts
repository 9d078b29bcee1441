import { describe, expect, test } from "vitest";
import { type Answers, fakeGoogle, keptTags, refuseConnections } from "../../../test/support/fake-google.ts";
import { FakeRegistry, REGISTRY_URL } from "../../../test/support/fake-registry.ts";
import { declare } from "../../../test/support/mocks.ts";
import { ArtifactRegistryTags } from "./artifact-registry-tags.ts";
import { ImageRegistry } from "./image-registry.ts";

const repository = { project: "production-471918", location: "us-central1", repositoryId: "hyperion-public" };
const REPOSITORY = "projects/production-471918/locations/us-central1/repositories/hyperion-public";
const LIST = `GET /${REPOSITORY}/packages/ui/tags?pageSize=1000`;
const version = (digest: string): string => `${REPOSITORY}/packages/ui/versions/${digest}`;
const registry = new ImageRegistry(REGISTRY_URL, () => Promise.resolve(undefined));

const store = (images = ["ui"]): ArtifactRegistryTags =>
  new ArtifactRegistryTags(repository, () => Promise.resolve(registry), images);

describe("the tags of images", () => {
  const read = async (answers: Answers, images = ["ui"]) => {
    const requests = await fakeGoogle(answers);
    const { result } = await declare(() => store(images).read());
    return { tags: Object.fromEntries([...result].map(([image, tags]) => [image, [...tags]])), requests };
  };

  test("take one request for each image", async () => {
    const { tags, requests } = await read(keptTags({ ui: { "1.4.2": "sha256:a" }, mcp: {} }), ["ui", "mcp"]);
    expect(tags).toEqual({ ui: [["1.4.2", "sha256:a"]], mcp: [] });
    expect(requests).toHaveLength(2);
  });

  test("are read from every page", async () => {
    const page = (tag: string, next?: string) => ({
      status: 200,
      body: { tags: [{ name: `x/tags/${tag}`, version: version("sha256:a") }], nextPageToken: next },
    });
    const { tags } = await read({ [LIST]: page("one", "a+b"), [`${LIST}&pageToken=a%2Bb`]: page("two") });
    expect(tags).toEqual({
      ui: [
        ["one", "sha256:a"],
        ["two", "sha256:a"],
      ],
    });
  });

  test.each<[string, Answers]>([
    ["without the image or its repository", {}],
    ["without the API", { [LIST]: { status: 403, body: { error: { reason: "SERVICE_DISABLED" } } } }],
    ["without a tag", { [LIST]: { status: 200, body: {} } }],
  ])("are none %s", async (_, answers) => {
    expect((await read(answers)).tags).toEqual({ ui: [] });
  });

  test("are reported without permission to read them", async () => {
    const denied = { status: 403, body: { error: { message: "Permission denied." } } };
    await expect(read({ [LIST]: denied })).rejects.toThrow(
      [
        "1 problem; nothing was changed.",
        "",
        "hyperion-public/ui",
        "  found:   Artifact Registry answered 403 (Permission denied.) to the question which tags it has",
        "  allowed: an account with permission to read the repository's tags (roles/artifactregistry.reader)",
        "  fix:     gcloud auth application-default login",
      ].join("\n"),
    );
  });

  test("are reported for an expired login, with the command that logs in", async () => {
    const expired = {
      status: 401,
      body: { error: { code: 401, message: "Expired.", status: "UNAUTHENTICATED" } },
    };
    await expect(read({ [LIST]: expired })).rejects.toThrow("fix:     gcloud auth application-default login");
  });

  test("are reported if Artifact Registry does not answer", async () => {
    refuseConnections();
    await expect(declare(() => store().read())).rejects.toThrow(
      [
        "  found:   Artifact Registry did not answer (fetch failed) to the question which tags it has",
        "  allowed: an Artifact Registry that answers",
        "  fix:     the same command again, once it does: https://status.cloud.google.com",
      ].join("\n"),
    );
  });
});

describe("a tag", () => {
  const CREATE = `POST /${REPOSITORY}/packages/ui/tags?tagId=1.4`;
  const MOVE = `PATCH /${REPOSITORY}/packages/ui/tags/1.4?updateMask=version`;
  const target = { image: "ui", tag: "1.4", digest: "sha256:a" };

  const send = async (answers: Answers, call: (tags: ArtifactRegistryTags) => Promise<unknown>) => {
    const asked = await fakeGoogle(answers);
    const { result } = await declare(() => call(store()));
    const bodies = await Promise.all(asked.map(({ body }) => body));
    for (const body of bodies)
      expect(JSON.parse(body)).toEqual({
        name: `${REPOSITORY}/packages/ui/tags/1.4`,
        version: version("sha256:a"),
      });
    return { result, requests: asked.map(({ what }) => what) };
  };

  test.each([
    [200, true],
    [409, false],
  ])("is created with the answer %d: %j", async (status, created) => {
    const { result, requests } = await send({ [CREATE]: { status } }, (tags) => tags.create(target));
    expect(result).toBe(created);
    expect(requests).toEqual([CREATE]);
  });

  test.each<[string, boolean, Answers, string[]]>([
    ["in the list is moved", true, { [MOVE]: { status: 200 } }, [MOVE]],
    ["not in the list is created", false, { [CREATE]: { status: 200 } }, [CREATE]],
    [
      "created after the list was read is moved",
      false,
      { [CREATE]: { status: 409 }, [MOVE]: { status: 200 } },
      [CREATE, MOVE],
    ],
    [
      "deleted after the list was read is created",
      true,
      { [MOVE]: { status: 404 }, [CREATE]: { status: 200 } },
      [MOVE, CREATE],
    ],
  ])("%s", async (_, exists, answers, expected) => {
    expect((await send(answers, (tags) => tags.set(target, exists))).requests).toEqual(expected);
  });

  test.each([400, 405, 501])("is put to the registry if a move is answered with %d", async (status) => {
    const fake = new FakeRegistry();
    const digest = fake.add("ui", "application/vnd.oci.image.manifest.v1+json", {});
    await fakeGoogle({ [MOVE]: { status } });
    await declare(() => store().set({ ...target, digest }, true));
    expect(fake.tag("ui", "1.4")).toBe(digest);
  });

  const LOG_IN = "gcloud auth application-default login";
  const REBUILD = "npm run pulumi -- up --replace '**docker:index/image:Image**'";
  test.each<[string, number, Answers, (tags: ArtifactRegistryTags) => Promise<unknown>, string]>([
    ["created", 403, { [CREATE]: { status: 403 } }, (tags) => tags.create(target), LOG_IN],
    [
      "created on a deleted image",
      404,
      { [CREATE]: { status: 404 } },
      (tags) => tags.create(target),
      REBUILD,
    ],
    ["moved", 403, { [MOVE]: { status: 403 } }, (tags) => tags.set(target, true), LOG_IN],
  ])("that cannot be %s is reported", async (_, status, answers, call, fix) => {
    const error = send(answers, call);
    await expect(error).rejects.toThrow(
      `ui:1.4\n  found:   Artifact Registry answered ${status} to the request to put it on sha256:a`,
    );
    await expect(error).rejects.toThrow(`  fix:     ${fix}`);
  });
});
