import { beforeEach, expect, it } from "vitest";
import { mintGithubApiToken } from "../../support/github/tokens.ts";
import { type Answer, type TestEmulator, testEmulator } from "../../testing/emulator.ts";

let emulator: TestEmulator;

beforeEach(async () => {
  emulator = await testEmulator();
});

/** Sends a request as a job with this permission on contents. */
async function ask(method: string, path: string, body?: object, contents = "write"): Promise<Answer> {
  const token = await mintGithubApiToken(emulator.dir, {
    login: "github-actions[bot]",
    permissions: { contents },
  });
  const response = await emulator.send(`api/v3/repos/HyperionWave-AI/dev-squad${path}`, {
    method,
    headers: { authorization: `token ${token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

const tag = (name: string): Promise<Answer> =>
  ask("POST", "/git/refs", { ref: `refs/tags/${name}`, sha: "a".repeat(40) });
const latest = async (): Promise<unknown> => (await ask("GET", "/releases/latest")).body["tag_name"];

it("creates one release for each tag, and changes it by its id", async () => {
  await tag("v1");
  const made = await ask("POST", "/releases", { tag_name: "v1", name: "one", body: "text" });
  expect(made).toMatchObject({ status: 201, body: { tag_name: "v1", body: "text", prerelease: false } });
  expect(await ask("POST", "/releases", { tag_name: "v1" })).toMatchObject({ status: 422 });
  await ask("PATCH", `/releases/${String(made.body["id"])}`, { body: "other" });
  expect(await ask("GET", "/releases/tags/v1")).toMatchObject({ body: { name: "one", body: "other" } });
  expect(await ask("GET", "/releases/tags/v2")).toMatchObject({ status: 404 });
});

it("creates a missing tag", async () => {
  expect(await ask("GET", "/git/ref/tags%2Fv1")).toMatchObject({ status: 404 });
  await ask("POST", "/releases", { tag_name: "v1" });
  expect(await ask("GET", "/git/ref/tags%2Fv1")).toMatchObject({ status: 200 });
});

it("makes the newest release the latest unless make_latest says otherwise, and never a prerelease", async () => {
  expect(await ask("GET", "/releases/latest")).toMatchObject({ status: 404 });
  const first = await ask("POST", "/releases", { tag_name: "v2" });
  await ask("POST", "/releases", { tag_name: "v1.1", make_latest: "false" });
  await ask("POST", "/releases", { tag_name: "v3-rc", prerelease: true });
  expect(await latest()).toBe("v2");
  expect(
    await ask("POST", "/releases", { tag_name: "v4-rc", prerelease: true, make_latest: "true" }),
  ).toMatchObject({ status: 422 });
  const next = await ask("POST", "/releases", { tag_name: "v4" });
  expect(await latest()).toBe("v4");
  await ask("PATCH", `/releases/${String(first.body["id"])}`, { make_latest: "true" });
  await ask("PATCH", `/releases/${String(next.body["id"])}`, { body: "changed" });
  expect(await latest()).toBe("v2");
});

it("generates notes since a tag that exists", async () => {
  await tag("v1");
  const generate = (previous_tag_name?: string): Promise<Answer> =>
    ask("POST", "/releases/generate-notes", { tag_name: "v2", previous_tag_name });
  expect((await generate("v1")).body["body"]).toContain("/compare/v1...v2");
  expect((await generate()).body["body"]).toContain("/commits/v2");
  expect(await generate("v0")).toMatchObject({ status: 422 });
});

it("refuses a job without the permission to write, and a text that is too long", async () => {
  expect(await ask("POST", "/releases", { tag_name: "v1" }, "read")).toMatchObject({ status: 403 });
  expect(await ask("POST", "/releases/generate-notes", { tag_name: "v1" }, "read")).toMatchObject({
    status: 403,
  });
  expect(await ask("POST", "/releases", { tag_name: "v1", body: "x".repeat(125_001) })).toMatchObject({
    status: 422,
  });
});
