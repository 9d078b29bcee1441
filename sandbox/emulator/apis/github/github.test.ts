import { decodeJwt } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import { mintGithubApiToken, type GithubCaller } from "../../support/github/tokens.ts";
import { type Answer, type TestEmulator, testEmulator } from "../../testing/emulator.ts";

const REPOSITORY = "HyperionWave-AI/dev-squad";
const AT = `api/v3/repos/${REPOSITORY}`;
const MAINTAINER = { login: "maintainer" };

let emulator: TestEmulator;

beforeEach(async () => {
  emulator = await testEmulator();
});

/** A job with these permissions. */
const job = (permissions: Record<string, string>): GithubCaller => ({
  login: "github-actions[bot]",
  permissions,
});

const login = async (caller: GithubCaller) => ({
  headers: { authorization: `token ${await mintGithubApiToken(emulator.dir, caller)}` },
});

async function ask(caller: GithubCaller, method: string, path: string, body?: object): Promise<Answer> {
  const request = { method, ...(await login(caller)), ...(body && { body: JSON.stringify(body) }) };
  const response = await emulator.send(AT + path, request);
  const text = await response.text();
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Answer["body"] };
}

/** Makes the repository private and sets its plan. */
function onPlan(plan: "free" | "team"): void {
  const privately = { private: true, plan };
  emulator.context.store.change(({ github }) => Object.assign(github[REPOSITORY] ?? {}, privately));
}

describe("the callers of GitHub's API", () => {
  it("need a token", async () => {
    const send = (headers: Record<string, string>) =>
      emulator.send(AT, { headers }).then((answer) => answer.json());
    expect(await send({})).toMatchObject({ status: "401", message: "Requires authentication" });
    expect(await send({ authorization: "token x" })).toMatchObject({ message: "Bad credentials" });
  });

  it.each<[string, GithubCaller, number, number]>([
    ["an administrator", MAINTAINER, 200, 200],
    ["a collaborator who pushes", { login: "dana" }, 200, 404],
    ["a stranger, on a public repository", { login: "lee" }, 200, 404],
    ["a job with the permission", job({ administration: "write" }), 403, 200],
    ["a job with the permission to read", job({ administration: "read" }), 403, 403],
    ["a job with the permission to read metadata", job({ metadata: "read" }), 200, 403],
  ])("%s", async (_, caller, reads, administers) => {
    expect((await ask(caller, "GET", "")).status).toBe(reads);
    expect((await ask(caller, "PUT", "/environments/production", {})).status).toBe(administers);
  });

  it("see a private repository only as collaborators", async () => {
    onPlan("team");
    expect(await ask({ login: "lee" }, "GET", "")).toMatchObject({ status: 404 });
    expect(await ask({ login: "dana" }, "GET", "")).toMatchObject({
      body: { id: 901234567, owner: { id: 123456789 }, private: true },
    });
  });
});

describe("an environment", () => {
  const PRODUCTION = "/environments/production";
  const PROTECTED = { deployment_branch_policy: { protected_branches: false, custom_branch_policies: true } };

  it("has its rules and its list of branches and tags", async () => {
    expect((await ask(MAINTAINER, "GET", PRODUCTION)).status).toBe(404);
    await ask(MAINTAINER, "PUT", PRODUCTION, PROTECTED);
    const policies = `${PRODUCTION}/deployment-branch-policies`;
    for (let time = 0; time < 2; time++) await ask(MAINTAINER, "POST", policies, { name: "v*", type: "tag" });
    expect(await ask(MAINTAINER, "GET", PRODUCTION)).toMatchObject({
      body: { protection_rules: [{ type: "branch_policy" }] },
    });
    expect(await ask(MAINTAINER, "GET", policies)).toMatchObject({
      body: { total_count: 1, branch_policies: [{ name: "v*", type: "tag" }] },
    });
  });

  it.each([
    ["free", PROTECTED, 422],
    ["free", {}, 200],
    ["team", PROTECTED, 200],
  ] as const)("of a private repository, with the plan %s: %o", async (plan, body, status) => {
    onPlan(plan);
    expect((await ask(MAINTAINER, "PUT", PRODUCTION, body)).status).toBe(status);
  });
});

it("a ruleset is created once and changed, and is not available for a private repository on the free plan", async () => {
  const rules = {
    name: "main",
    enforcement: "active",
    conditions: { ref_name: { include: ["refs/heads/main"], exclude: [] } },
    rules: [{ type: "deletion" }],
  };
  const made = await ask(MAINTAINER, "POST", "/rulesets", rules);
  expect(made).toMatchObject({ status: 201, body: { name: "main", target: "branch" } });
  expect((await ask(MAINTAINER, "POST", "/rulesets", rules)).status).toBe(422);
  const path = `/rulesets/${String(made.body["id"])}`;
  expect(await ask(MAINTAINER, "PUT", path, { ...rules, rules: [] })).toMatchObject({ body: { rules: [] } });
  onPlan("free");
  expect(await ask(MAINTAINER, "GET", "/rulesets")).toMatchObject({
    status: 403,
    body: { message: "Upgrade to GitHub Pro or make this repository public to enable this feature." },
  });
});

it("a variable is created once, and changed", async () => {
  const set = async (method: string, path: string, value: string) =>
    (await ask(MAINTAINER, method, `/actions/variables${path}`, { name: "REGION", value })).status;
  expect([await set("POST", "", "a"), await set("POST", "", "b")]).toEqual([201, 409]);
  expect([await set("PATCH", "/REGION", "c"), await set("PATCH", "/NONE", "c")]).toEqual([204, 404]);
  const { body } = await ask(MAINTAINER, "GET", "/actions/variables/REGION");
  expect(body).toMatchObject({ name: "REGION", value: "c" });
});

describe("an issue", () => {
  const ISSUES = job({ issues: "write" });
  const PULLS = job({ pull_requests: "write" });

  it("is opened, listed by its author, changed and closed", async () => {
    expect(await ask(ISSUES, "POST", "/issues", { title: "a", body: "b" })).toMatchObject({
      status: 201,
      body: { number: 1, title: "a", body: "b", state: "open", user: { login: ISSUES.login, type: "Bot" } },
    });
    const list = async (query: string) => (await ask(ISSUES, "GET", `/issues?${query}`)).body;
    expect(await list(`creator=${ISSUES.login}`)).toMatchObject([{ number: 1 }]);
    expect(await list("creator=dana")).toEqual([]);
    const closed = { title: "c", state: "closed", state_reason: "completed" };
    await ask(ISSUES, "PATCH", "/issues/1", closed);
    expect(await list("state=open")).toEqual([]);
    expect(await list("state=closed")).toMatchObject([{ ...closed, body: "b" }]);
    expect((await ask(ISSUES, "POST", "/issues", { title: "" })).status).toBe(422);
  });

  it("is listed in pages", async () => {
    for (const title of ["a", "b", "c"]) await ask(ISSUES, "POST", "/issues", { title });
    const first = await emulator.send(`${AT}/issues?per_page=2`, await login(ISSUES));
    expect(await first.json()).toMatchObject([{ title: "c" }, { title: "b" }]);
    const link = /^<http:\/\/127\.0\.0\.1\/(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "");
    const second = await emulator.send(link?.[1] ?? "", await login(ISSUES));
    expect(await second.json()).toMatchObject([{ title: "a" }]);
    expect(second.headers.get("link")).toBeNull();
  });

  it("needs its own permission, and a comment on a pull request one of two", async () => {
    await ask(PULLS, "POST", "/pulls", { title: "a", head: "feature", base: "main" });
    const comments = "/issues/1/comments";
    const made = await ask(PULLS, "POST", comments, { body: "one" });
    expect(made).toMatchObject({ status: 201, body: { user: { login: PULLS.login, type: "Bot" } } });
    await ask(ISSUES, "PATCH", `/issues/comments/${String(made.body["id"])}`, { body: "two" });
    expect((await ask(PULLS, "GET", comments)).body).toMatchObject([{ body: "two" }]);
    for (const permissions of [{}, { contents: "write" }, { pull_requests: "read" }])
      expect(await ask(job(permissions), "POST", comments, { body: "x" })).toMatchObject({
        status: 403,
        body: { message: "Resource not accessible by integration" },
      });
    expect((await ask(PULLS, "POST", "/issues", { title: "x" })).status).toBe(403);
    expect((await ask(PULLS, "POST", "/issues/7/comments", { body: "x" })).status).toBe(404);
  });
});

it("a workflow that GitHub disabled starts only after it is enabled", async () => {
  const drift = "/actions/workflows/drift.yml";
  const actions = job({ actions: "write" });
  expect((await ask(actions, "GET", drift)).body).toMatchObject({ state: "active" });
  expect(emulator.context.store.state.github[REPOSITORY]?.workflows).toEqual({});
  await emulator.ok("POST", `sandbox/github/${REPOSITORY}/drift.yml/sleep`);
  expect((await ask(actions, "GET", drift)).body).toMatchObject({ state: "disabled_inactivity" });
  const start = async () => (await ask(actions, "POST", `${drift}/dispatches`, { ref: "main" })).status;
  expect(await start()).toBe(422);
  expect((await ask(job({ actions: "read" }), "PUT", `${drift}/enable`)).status).toBe(403);
  expect((await ask(actions, "PUT", `${drift}/enable`)).status).toBe(204);
  expect(await start()).toBe(204);
  expect((await ask(actions, "GET", `${drift}/runs`)).body).toMatchObject({ total_count: 1 });
  await ask(actions, "PUT", `${drift}/disable`);
  expect((await ask(actions, "GET", drift)).body).toMatchObject({ state: "disabled_manually" });
});

it("a job with the permission gets a token that describes its run", async () => {
  const run = { eventName: "workflow_dispatch", workflow: "drift.yml" };
  const get = async (permissions: Record<string, string>): Promise<Response> =>
    emulator.send("api/v3/actions/id-token?audience=x", await login({ ...job(permissions), run }));
  const { value } = (await (await get({ id_token: "write" })).json()) as { value: string };
  expect(decodeJwt(value)).toMatchObject({ aud: "x", event_name: "workflow_dispatch", workflow: "drift" });
  expect((await get({ contents: "read" })).status).toBe(403);
});

describe("releases", () => {
  const write = (method: string, path: string, body?: object) =>
    ask(job({ contents: "write" }), method, path, body);
  const release = (tag_name: string, more: object = {}) => write("POST", "/releases", { tag_name, ...more });
  const patch = ({ body: { id } }: Answer, change: object) =>
    write("PATCH", `/releases/${String(id)}`, change);
  const latest = async () => (await write("GET", "/releases/latest")).body["tag_name"];

  it("are created once for each tag, and changed by id", async () => {
    const made = await release("v1", { name: "one", body: "text" });
    expect(made).toMatchObject({ status: 201, body: { tag_name: "v1", body: "text", prerelease: false } });
    expect(await release("v1")).toMatchObject({ status: 422 });
    await patch(made, { body: "other" });
    expect(await write("GET", "/releases/tags/v1")).toMatchObject({ body: { name: "one", body: "other" } });
    expect(await write("GET", "/releases/tags/v2")).toMatchObject({ status: 404 });
  });

  it("create a missing tag", async () => {
    expect(await write("GET", "/git/ref/tags%2Fv1")).toMatchObject({ status: 404 });
    await release("v1");
    expect(await write("GET", "/git/ref/tags%2Fv1")).toMatchObject({ status: 200 });
  });

  it("become the latest unless make_latest says otherwise, and never as a prerelease", async () => {
    expect(await write("GET", "/releases/latest")).toMatchObject({ status: 404 });
    const first = await release("v2");
    await release("v1.1", { make_latest: "false" });
    await release("v3-rc", { prerelease: true });
    expect(await latest()).toBe("v2");
    expect(await release("v4-rc", { prerelease: true, make_latest: "true" })).toMatchObject({ status: 422 });
    const next = await release("v4");
    expect(await latest()).toBe("v4");
    await patch(first, { make_latest: "true" });
    await patch(next, { body: "changed" });
    expect(await latest()).toBe("v2");
  });

  it("have generated notes since a tag that exists", async () => {
    await write("POST", "/git/refs", { ref: "refs/tags/v1", sha: "a".repeat(40) });
    const generate = (previous_tag_name?: string) =>
      write("POST", "/releases/generate-notes", { tag_name: "v2", previous_tag_name });
    expect((await generate("v1")).body["body"]).toContain("/compare/v1...v2");
    expect((await generate()).body["body"]).toContain("/commits/v2");
    expect(await generate("v0")).toMatchObject({ status: 422 });
  });

  it("need the permission to write, and a text that is not too long", async () => {
    for (const path of ["/releases", "/releases/generate-notes"])
      expect(await ask(job({ contents: "read" }), "POST", path, { tag_name: "v1" })).toMatchObject({
        status: 403,
      });
    expect(await release("v1", { body: "x".repeat(125_001) })).toMatchObject({ status: 422 });
  });
});
