import { describe, expect, test } from "vitest";
import type { RegistryTags } from "./published.ts";
import { readRegistryTags, setTags } from "./registry-tags.ts";
import { type Answers, fakeGoogle, logged, nobodyAnswers, tagLists } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";

const registry = { project: "production-471918", location: "us-central1", repositoryId: "hyperion-public" };
const REPOSITORY = "projects/production-471918/locations/us-central1/repositories/hyperion-public";
const LIST = `GET /${REPOSITORY}/packages/ui/tags?pageSize=1000`;
const DISABLED = { status: 403, body: { error: { reason: "SERVICE_DISABLED" } } };
const version = (digest: string): string => `${REPOSITORY}/packages/ui/versions/${digest}`;

describe("the tags of images", () => {
  const read = async (answers: Answers, images = ["ui"], recorded: RegistryTags = new Map()) => {
    const requests = await fakeGoogle(answers);
    const { result } = await declare(() => readRegistryTags(registry, images, Promise.resolve(recorded)));
    return { tags: Object.fromEntries([...result].map(([image, tags]) => [image, [...tags]])), requests };
  };

  test("are one request an image", async () => {
    const { tags, requests } = await read(tagLists({ ui: { "1.4.2": "sha256:a" }, mcp: {} }), ["ui", "mcp"]);
    expect(tags).toEqual({ ui: [["1.4.2", "sha256:a"]], mcp: [] });
    expect(requests).toHaveLength(2);
  });

  test("are read to the last page", async () => {
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
    ["without the API", { [LIST]: DISABLED }],
    ["without a tag", { [LIST]: { status: 200, body: {} } }],
  ])("are none %s", async (_, answers) => {
    expect((await read(answers)).tags).toEqual({ ui: [] });
  });

  const DENIED = { status: 403, body: { error: { message: "Permission denied." } } };
  const recorded = new Map([["ui", new Map([["latest", "sha256:a"]])]]);

  test("are those of the state without the API, and of all images", async () => {
    const lines = logged();
    const others = tagLists({ mcp: { "1.4.2": "sha256:b" } });
    const { tags } = await read({ ...others, [LIST]: DISABLED }, ["mcp", "ui"], recorded);
    expect(tags).toEqual({ mcp: [], ui: [["latest", "sha256:a"]] });
    expect(lines.info).toEqual([
      expect.stringMatching(
        /^Artifact Registry answered 403.* to the question which tags ui has; the tags are taken to be as the state has them\.$/,
      ),
    ]);
  });

  test("are the registry's where it tells them, whatever the state has", async () => {
    const lines = logged();
    expect((await read(tagLists({ ui: {} }), ["ui"], recorded)).tags).toEqual({ ui: [] });
    expect(lines.info).toEqual([]);
  });

  test("that may not be read are told, whatever the state has", async () => {
    await expect(read({ [LIST]: DENIED }, ["ui"], recorded)).rejects.toThrow(
      [
        "1 problem; nothing was changed.",
        "",
        "hyperion-public/ui",
        "  found:   Artifact Registry answered 403 (Permission denied.) to the question which tags it has",
        "  allowed: an account that may read the repository's tags (roles/artifactregistry.reader)",
        "  fix:     gcloud auth application-default login",
      ].join("\n"),
    );
  });

  test("that an expired login asks for are told with the command that logs in", async () => {
    const expired = {
      status: 401,
      body: { error: { code: 401, message: "Expired.", status: "UNAUTHENTICATED" } },
    };
    await expect(read({ [LIST]: expired })).rejects.toThrow("fix:     gcloud auth application-default login");
  });

  test("that nobody tells are told", async () => {
    nobodyAnswers();
    await expect(declare(() => readRegistryTags(registry, ["ui"]))).rejects.toThrow(
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

  const set = async (answers: Answers) => {
    const requests = await fakeGoogle(answers);
    await declare(() => setTags(registry, [{ image: "ui", tag: "1.4", digest: "sha256:a" }]));
    const bodies = await Promise.all(requests.map(({ body }) => body));
    return {
      requests: requests.map(({ what }) => what),
      bodies: bodies.map((body) => JSON.parse(body) as unknown),
    };
  };
  const body = { name: `${REPOSITORY}/packages/ui/tags/1.4`, version: version("sha256:a") };

  test("that is not there is made", async () => {
    expect(await set({ [CREATE]: { status: 200 } })).toEqual({ requests: [CREATE], bodies: [body] });
  });

  test("that is there moves", async () => {
    expect(await set({ [CREATE]: { status: 409 }, [MOVE]: { status: 200 } })).toEqual({
      requests: [CREATE, MOVE],
      bodies: [body, body],
    });
  });

  test("that is refused is told", async () => {
    await expect(set({ [CREATE]: { status: 403 } })).rejects.toThrow(
      "ui:1.4\n  found:   Artifact Registry answered 403 to the request to put it on sha256:a",
    );
  });

  test("that is refused leaves the others to be set", async () => {
    const requests = await fakeGoogle({ [CREATE]: { status: 403 }, [`${CREATE}.2`]: { status: 200 } });
    const marks = ["1.4", "1.4.2"].map((tag) => ({ image: "ui", tag, digest: "sha256:a" }));
    await expect(declare(() => setTags(registry, marks))).rejects.toThrow("ui:1.4\n");
    expect(requests.map(({ what }) => what)).toEqual([CREATE, `${CREATE}.2`]);
  });
});
