import { decodeJwt } from "jose";
import { beforeEach, expect, it } from "vitest";
import { mintGithubApiToken, type GithubCaller } from "../../support/github/tokens.ts";
import { type Answer, type TestEmulator, testEmulator } from "../../testing/emulator.ts";

const REPOSITORY = "HyperionWave-AI/dev-squad";
const BOT = "github-actions[bot]";

let emulator: TestEmulator;

beforeEach(async () => {
  emulator = await testEmulator();
});

const headers = async (caller: GithubCaller): Promise<Record<string, string>> => ({
  authorization: `token ${await mintGithubApiToken(emulator.dir, caller)}`,
});

/** Sends a request as a job with these permissions. */
async function ask(
  permissions: Record<string, string>,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const response = await emulator.send(`api/v3/repos/${REPOSITORY}${path}`, {
    method,
    headers: await headers({ login: BOT, permissions }),
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Answer["body"] };
}

const ISSUES = { issues: "write" };
const PULLS = { pull_requests: "write" };

it("an issue is opened, listed by its author, changed and closed", async () => {
  expect(await ask(ISSUES, "POST", "/issues", { title: "a", body: "b" })).toMatchObject({
    status: 201,
    body: { number: 1, title: "a", body: "b", state: "open", user: { login: BOT } },
  });
  const list = async (query: string): Promise<unknown> => (await ask(ISSUES, "GET", `/issues?${query}`)).body;
  expect(await list(`creator=${BOT}`)).toMatchObject([{ number: 1 }]);
  expect(await list("creator=dana")).toEqual([]);
  await ask(ISSUES, "PATCH", "/issues/1", { title: "c", state: "closed", state_reason: "completed" });
  expect(await list("state=open")).toEqual([]);
  expect(await list("state=closed")).toMatchObject([{ title: "c", body: "b", state: "closed" }]);
  expect((await ask(ISSUES, "POST", "/issues", { title: "" })).status).toBe(422);
});

it("a list is paginated", async () => {
  for (const title of ["a", "b", "c"]) await ask(ISSUES, "POST", "/issues", { title });
  const init = { headers: await headers({ login: BOT, permissions: ISSUES }) };
  const first = await emulator.send(`api/v3/repos/${REPOSITORY}/issues?per_page=2`, init);
  expect(await first.json()).toMatchObject([{ title: "c" }, { title: "b" }]);
  const next = /^<http:\/\/127\.0\.0\.1\/(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
  const second = await emulator.send(next, init);
  expect(await second.json()).toMatchObject([{ title: "a" }]);
  expect(second.headers.get("link")).toBeNull();
});

it("a comment on a pull request needs one of two permissions, and an issue needs its own", async () => {
  await ask(PULLS, "POST", "/pulls", { title: "a", head: "feature", base: "main" });
  const made = await ask(PULLS, "POST", "/issues/1/comments", { body: "one" });
  expect(made).toMatchObject({ status: 201, body: { user: { login: BOT, type: "Bot" } } });
  await ask(ISSUES, "PATCH", `/issues/comments/${String(made.body["id"])}`, { body: "two" });
  expect((await ask(PULLS, "GET", "/issues/1/comments")).body).toMatchObject([{ body: "two" }]);
  for (const permissions of [{}, { contents: "write" }, { pull_requests: "read" }])
    expect(await ask(permissions, "POST", "/issues/1/comments", { body: "x" })).toMatchObject({
      status: 403,
      body: { message: "Resource not accessible by integration" },
    });
  expect((await ask(PULLS, "POST", "/issues", { title: "x" })).status).toBe(403);
  expect((await ask(PULLS, "POST", "/issues/7/comments", { body: "x" })).status).toBe(404);
});

it("a workflow that GitHub disabled starts only after it is enabled", async () => {
  const drift = "/actions/workflows/drift.yml";
  const actions = { actions: "write" };
  await emulator.ok("POST", `sandbox/github/${REPOSITORY}/drift.yml/sleep`);
  expect((await ask(actions, "GET", drift)).body).toMatchObject({ state: "disabled_inactivity" });
  const start = () => ask(actions, "POST", `${drift}/dispatches`, { ref: "main" });
  expect((await start()).status).toBe(422);
  expect((await ask({ actions: "read" }, "PUT", `${drift}/enable`)).status).toBe(403);
  expect((await ask(actions, "PUT", `${drift}/enable`)).status).toBe(204);
  expect((await start()).status).toBe(204);
  expect((await ask(actions, "GET", `${drift}/runs`)).body).toMatchObject({ total_count: 1 });
});

it("a job with the permission gets a token that describes its run", async () => {
  const run = { eventName: "workflow_dispatch", workflow: "drift.yml" };
  const get = async (permissions: Record<string, string>): Promise<Response> =>
    emulator.send("api/v3/actions/id-token?audience=x", {
      headers: await headers({ login: BOT, permissions, run }),
    });
  const { value } = (await (await get({ id_token: "write" })).json()) as { value: string };
  expect(decodeJwt(value)).toMatchObject({ aud: "x", event_name: "workflow_dispatch", workflow: "drift" });
  expect((await get({ contents: "read" })).status).toBe(403);
});
