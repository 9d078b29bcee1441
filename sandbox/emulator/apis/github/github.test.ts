import { beforeEach, describe, expect, it } from "vitest";
import { mintGithubApiToken, type GithubCaller } from "../../support/github/tokens.ts";
import { type Answer, type TestEmulator, testEmulator } from "../../testing/emulator.ts";

const REPOSITORY = "HyperionWave-AI/dev-squad";
const PRODUCTION = "/environments/production";
const RULES = {
  name: "main",
  target: "branch",
  enforcement: "active",
  conditions: { ref_name: { include: ["refs/heads/main"], exclude: [] } },
  rules: [{ type: "deletion" }, { type: "pull_request", parameters: { required_approving_review_count: 1 } }],
};

let emulator: TestEmulator;

beforeEach(async () => {
  emulator = await testEmulator();
});

async function ask(
  method: string,
  path: string,
  body?: object,
  caller: GithubCaller = { login: "maintainer" },
): Promise<Answer> {
  const token = await mintGithubApiToken(emulator.dir, caller);
  const response = await emulator.send(`api/v3/repos/${REPOSITORY}${path}`, {
    method,
    headers: { authorization: `token ${token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Answer["body"] };
}

/** Makes the repository private and sets its plan. */
function onPlan(plan: "free" | "team" | "enterprise"): void {
  emulator.context.store.change(({ github }) =>
    Object.assign(github[REPOSITORY] ?? {}, { private: true, plan }),
  );
}

describe("the callers of GitHub's API", () => {
  it("need a token", async () => {
    const send = (headers: Record<string, string>) =>
      emulator.send(`api/v3/repos/${REPOSITORY}`, { headers }).then((answer) => answer.json());
    expect(await send({})).toMatchObject({ status: "401", message: "Requires authentication" });
    expect(await send({ authorization: "token x" })).toMatchObject({ message: "Bad credentials" });
  });

  it.each<[string, GithubCaller, number, number]>([
    ["an administrator", { login: "maintainer" }, 200, 200],
    ["a collaborator who pushes", { login: "dana" }, 200, 404],
    ["a stranger, on a public repository", { login: "lee" }, 200, 404],
    ["a job with the permission", { login: "bot", permissions: { administration: "write" } }, 403, 200],
    [
      "a job with the permission to read",
      { login: "bot", permissions: { administration: "read" } },
      403,
      403,
    ],
    [
      "a job with the permission to read metadata",
      { login: "bot", permissions: { metadata: "read" } },
      200,
      403,
    ],
  ])("%s", async (_, caller, reads, administers) => {
    expect((await ask("GET", "", undefined, caller)).status).toBe(reads);
    expect((await ask("PUT", PRODUCTION, {}, caller)).status).toBe(administers);
  });

  it("see a private repository only as collaborators", async () => {
    onPlan("team");
    expect(await ask("GET", "", undefined, { login: "lee" })).toMatchObject({ status: 404 });
    expect(await ask("GET", "", undefined, { login: "dana" })).toMatchObject({
      status: 200,
      body: { id: 901234567, owner: { id: 123456789 }, visibility: "private", permissions: { admin: false } },
    });
  });
});

describe("an environment", () => {
  it("has its rules and its list of branches and tags", async () => {
    expect((await ask("GET", PRODUCTION)).status).toBe(404);
    await ask("PUT", PRODUCTION, {
      reviewers: [{ type: "User", id: 4241 }],
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    });
    await ask("POST", `${PRODUCTION}/deployment-branch-policies`, { name: "v*", type: "tag" });
    await ask("POST", `${PRODUCTION}/deployment-branch-policies`, { name: "v*", type: "tag" });
    expect(await ask("GET", PRODUCTION)).toMatchObject({
      body: { protection_rules: [{ type: "required_reviewers" }, { type: "branch_policy" }] },
    });
    expect(await ask("GET", `${PRODUCTION}/deployment-branch-policies`)).toMatchObject({
      body: { total_count: 1, branch_policies: [{ name: "v*", type: "tag" }] },
    });
  });

  it.each([
    ["free", { reviewers: [] }, 422],
    ["free", { deployment_branch_policy: { protected_branches: true, custom_branch_policies: false } }, 422],
    ["free", {}, 200],
    ["team", { reviewers: [] }, 422],
    ["team", { deployment_branch_policy: { protected_branches: true, custom_branch_policies: false } }, 200],
    ["enterprise", { reviewers: [] }, 200],
  ] as const)("of a private repository, with the plan %s: %o", async (plan, body, status) => {
    onPlan(plan);
    expect((await ask("PUT", PRODUCTION, body)).status).toBe(status);
  });
});

it("a ruleset is created once and changed, and is not available for a private repository on the free plan", async () => {
  const made = await ask("POST", "/rulesets", RULES);
  expect(made).toMatchObject({ status: 201, body: { name: "main" } });
  expect((await ask("POST", "/rulesets", RULES)).status).toBe(422);
  const path = `/rulesets/${String(made.body["id"])}`;
  expect(await ask("PUT", path, { ...RULES, rules: [] })).toMatchObject({ body: { rules: [] } });
  onPlan("free");
  expect(await ask("GET", "/rulesets")).toMatchObject({
    status: 403,
    body: { message: "Upgrade to GitHub Pro or make this repository public to enable this feature." },
  });
});

it("a variable is created once, and changed", async () => {
  const variables = "/actions/variables";
  expect((await ask("POST", variables, { name: "REGION", value: "a" })).status).toBe(201);
  expect((await ask("POST", variables, { name: "REGION", value: "b" })).status).toBe(409);
  expect((await ask("PATCH", `${variables}/REGION`, { value: "c" })).status).toBe(204);
  expect(await ask("GET", `${variables}/REGION`)).toMatchObject({ body: { name: "REGION", value: "c" } });
  expect((await ask("PATCH", `${variables}/NONE`, { value: "c" })).status).toBe(404);
});
