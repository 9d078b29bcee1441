/** @module-tag feature */
import { beforeAll, describe, expect, test } from "vitest";
import { mintGithubToken } from "../../sandbox/emulator/support/github-issuer.ts";
import { githubToken, impersonate } from "../support/federation.ts";
import { google, POOLS } from "../support/google.ts";
import { failed } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const OURS = "HyperionWave-AI/dev-squad";
const IDS = { repository_id: "123", repository_owner_id: "456" };

const sandbox = useSandbox();
let provider: string;
let accounts: { publish: string; preview: string };

beforeAll(async () => {
  await sandbox.set({
    publishImages: "false",
    ciCanPublish: "true",
    githubRepository: OURS,
    githubRepositoryId: IDS.repository_id,
    githubOwnerId: IDS.repository_owner_id,
  });
  await sandbox.up();
  provider = await sandbox.output("workloadIdentityProvider");
  accounts = {
    publish: await sandbox.output("ciServiceAccountEmail"),
    preview: await sandbox.output("previewServiceAccountEmail"),
  };
});

/** A token of a workflow run on main in the protected environment, with these claims replaced; "" removes a claim. */
function tokenWith(claims: Record<string, string>): Promise<string> {
  const usual = { event_name: "push", environment: "production", ref: "refs/heads/main" };
  const all = Object.entries({ repository: OURS, ...IDS, ...usual, ...claims });
  return githubToken(sandbox, provider, Object.fromEntries(all.filter(([, value]) => value !== "")));
}

/** The account's access token; undefined if Google refuses. */
async function tokenOf(account: string, token: string): Promise<string | undefined> {
  const answer = await impersonate(sandbox, provider, token, account);
  return answer.ok ? ((await answer.json()) as { accessToken: string }).accessToken : undefined;
}

/** Whether the registry allows the action with an access token. */
async function isAllowed(action: "pull" | "push", accessToken: string): Promise<boolean> {
  const scope = `repository:hyperion-sandbox/hyperion-public/hyperion-ui:${action}`;
  const url = `${sandbox.emulatorUrl}/token?service=registry&scope=${encodeURIComponent(scope)}`;
  const login = Buffer.from(`oauth2accesstoken:${accessToken}`).toString("base64");
  return (await fetch(url, { headers: { Authorization: `Basic ${login}` } })).ok;
}

describe("a workflow run", () => {
  test.each<[string, Record<string, string>, "publish" | "preview" | "nothing"]>([
    ["A7: a push to main", {}, "publish"],
    ["A7: a version tag", { ref: "refs/tags/v1.4.2" }, "publish"],
    ["A7: a manual run on main", { event_name: "workflow_dispatch" }, "publish"],
    ["A8: a pull request", { event_name: "pull_request", ref: "refs/pull/7/merge" }, "preview"],
    ["A9: pull_request_target, which has main as its ref", { event_name: "pull_request_target" }, "nothing"],
    ["A7: the environment in another case", { environment: "Production" }, "publish"],
    [
      "A9: v0-evil, a tag on a commit with another workflow",
      { ref: "refs/tags/v0-evil", workflow: "evil.yml", environment: "" },
      "nothing",
    ],
    ["A9: another environment", { environment: "staging" }, "nothing"],
    [
      "A9: the drift job, which has its own class",
      { event_name: "workflow_dispatch", workflow: "drift.yml", environment: "" },
      "nothing",
    ],
    ["A9: another branch", { ref: "refs/heads/topic" }, "nothing"],
    ["A9: a fork", { repository: "eve/dev-squad", repository_id: "9", repository_owner_id: "8" }, "nothing"],
    [
      "A9: another repository of the owner",
      { repository: "HyperionWave-AI/other", repository_id: "9" },
      "nothing",
    ],
    [
      "A9: the same repository name with another owner",
      { repository_id: "9", repository_owner_id: "8" },
      "nothing",
    ],
    ["A9: a wrong audience", { audience: "https://example.com" }, "nothing"],
    ["A9: a wrong issuer", { iss: "https://issuer.example.com" }, "nothing"],
  ])("%s", async (_, claims, access) => {
    const token = await tokenWith(claims);
    expect((await tokenOf(accounts.publish, token)) !== undefined).toBe(access === "publish");
    expect((await tokenOf(accounts.preview, token)) !== undefined).toBe(access === "preview");
  });

  test("A9: with an expired token gets nothing", async () => {
    const run = {
      audience: `https://iam.googleapis.com/${provider}`,
      repository: OURS,
      repositoryId: IDS.repository_id,
      ownerId: IDS.repository_owner_id,
      environment: "production",
    };
    expect(await tokenOf(accounts.publish, await mintGithubToken(sandbox.root, run))).toBeDefined();
    const expired = await mintGithubToken(sandbox.root, { ...run, ttlSeconds: -120 });
    expect(await tokenOf(accounts.publish, expired)).toBeUndefined();
  });

  test("A7: as the CI account pulls and pushes", async () => {
    const token = (await tokenOf(accounts.publish, await tokenWith({}))) ?? "";
    expect([await isAllowed("pull", token), await isAllowed("push", token)]).toEqual([true, true]);
  });

  test("A8: as the preview account pulls, and cannot push or change anything", async () => {
    const claims = { event_name: "pull_request", ref: "refs/pull/7/merge" };
    const token = (await tokenOf(accounts.preview, await tokenWith(claims))) ?? "";
    expect([await isAllowed("pull", token), await isAllowed("push", token)]).toEqual([true, false]);
    const repository = "v1/projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public";
    const change = await sandbox.google(
      "PATCH",
      `${repository}?updateMask=description`,
      { description: "changed" },
      `serviceAccount:${accounts.preview}`,
    );
    expect(change.status).toBe(403);
  });
});

test("up undeletes the identity pool that a destroy soft-deleted", async () => {
  await sandbox.pulumi("destroy", "--yes");
  expect(await tokenOf(accounts.publish, await tokenWith({}))).toBeUndefined();
  const { output } = await sandbox.tryUp();
  expect(output).toContain("undeleted it, and will update it in place");
  expect(await tokenOf(accounts.publish, await tokenWith({}))).toBeDefined();
  await sandbox.expectNoChanges();
});

test("up adopts an existing pool and provider, and updates them in place", async () => {
  const pool = `${POOLS}/hyperion-github`;
  await sandbox.pulumi("destroy", "--yes");
  // They exist at Google with other settings, and are in no state.
  for (const path of [pool, `${pool}/providers/github`])
    await google(sandbox, "POST", `${path}:undelete`, {});
  const byHand = { displayName: "Made by hand", description: "By hand" };
  await google(sandbox, "PATCH", `${pool}?updateMask=displayName,description`, byHand);
  const another = { attributeCondition: "assertion.repository_owner_id == '8'", description: "By hand" };
  const mask = "updateMask=attributeCondition,description";
  await google(sandbox, "PATCH", `${pool}/providers/github?${mask}`, another);

  const refused = failed(await sandbox.tryPulumi("preview"));
  expect(refused).toContain("an identity pool that already exists and belongs to no stack");
  expect(refused).toContain("its condition is assertion.repository_owner_id == '8'");

  await sandbox.set({ adoptExisting: "true" });
  const output = await sandbox.up();
  expect(output).toMatch(/workloadIdentityPool\S* .*import/i);
  expect((await sandbox.google("GET", pool)).body).toMatchObject({ displayName: "GitHub Actions" });
  const { body } = await sandbox.google("GET", `${pool}/providers/github`);
  expect((body as typeof another).attributeCondition).toContain(IDS.repository_id);
  expect(await tokenOf(accounts.publish, await tokenWith({}))).toBeDefined();
  expect(await tokenOf(accounts.publish, await tokenWith({ repository_id: "9" }))).toBeUndefined();
  await sandbox.expectNoChanges();
});
