import { beforeAll, describe, expect, test } from "vitest";
import type { GithubRun } from "../../sandbox/emulator/support/github-issuer.ts";
import { githubToken, impersonate } from "../support/federation.ts";
import { google, POOLS } from "../support/google.ts";
import { failed } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const OURS = "HyperionWave-AI/dev-squad";
const IDS = { repositoryId: "123", ownerId: "456" };

const sandbox = useSandbox();
let provider: string;
let accounts: { publish: string; preview: string };

beforeAll(async () => {
  await sandbox.set({
    publishImages: "false",
    ciCanPublish: "true",
    githubRepository: OURS,
    githubRepositoryId: IDS.repositoryId,
    githubOwnerId: IDS.ownerId,
  });
  await sandbox.up();
  provider = await sandbox.output("workloadIdentityProvider");
  accounts = {
    publish: await sandbox.output("ciServiceAccountEmail"),
    preview: await sandbox.output("previewServiceAccountEmail"),
  };
});

/** A token of a workflow run on main in the protected environment, with these changes. */
function tokenWith(changes: GithubRun): Promise<string> {
  return githubToken(sandbox, provider, { repository: OURS, ...IDS, environment: "production", ...changes });
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
  test.each<[string, GithubRun, "publish" | "preview" | "nothing"]>([
    ["A7: a push to main", {}, "publish"],
    ["A7: a version tag", { ref: "refs/tags/v1.4.2" }, "publish"],
    ["A7: a manual run on main", { eventName: "workflow_dispatch" }, "publish"],
    ["A8: a pull request", { eventName: "pull_request", ref: "refs/pull/7/merge" }, "preview"],
    ["A9: pull_request_target, which has main as its ref", { eventName: "pull_request_target" }, "nothing"],
    ["A7: the environment in another case", { environment: "Production" }, "publish"],
    [
      "A9: v0-evil, a tag on a commit with another workflow",
      { ref: "refs/tags/v0-evil", workflow: "evil.yml", environment: undefined },
      "nothing",
    ],
    ["A9: another environment", { environment: "staging" }, "nothing"],
    [
      "A9: the drift job, which has its own class",
      { eventName: "workflow_dispatch", workflow: "drift.yml", environment: undefined },
      "nothing",
    ],
    ["A9: another branch", { ref: "refs/heads/topic" }, "nothing"],
    ["A9: a fork", { repository: "eve/dev-squad", repositoryId: "9", ownerId: "8" }, "nothing"],
    [
      "A9: another repository of the owner",
      { repository: "HyperionWave-AI/other", repositoryId: "9" },
      "nothing",
    ],
    ["A9: the same repository name with another owner", { repositoryId: "9", ownerId: "8" }, "nothing"],
    ["A9: a wrong audience", { audience: "https://example.com" }, "nothing"],
    ["A9: an expired token", { ttlSeconds: -120 }, "nothing"],
    ["A9: a wrong issuer", { issuer: "https://issuer.example.com" }, "nothing"],
  ])("%s", async (_, run, access) => {
    const token = await tokenWith(run);
    expect((await tokenOf(accounts.publish, token)) !== undefined).toBe(access === "publish");
    expect((await tokenOf(accounts.preview, token)) !== undefined).toBe(access === "preview");
  });

  test("A7: as the CI account pulls and pushes", async () => {
    const token = (await tokenOf(accounts.publish, await tokenWith({}))) ?? "";
    expect([await isAllowed("pull", token), await isAllowed("push", token)]).toEqual([true, true]);
  });

  test("A8: as the preview account pulls, and cannot push or change anything", async () => {
    const run = { eventName: "pull_request", ref: "refs/pull/7/merge" };
    const token = (await tokenOf(accounts.preview, await tokenWith(run))) ?? "";
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
  expect((body as typeof another).attributeCondition).toContain(IDS.repositoryId);
  expect(await tokenOf(accounts.publish, await tokenWith({}))).toBeDefined();
  expect(await tokenOf(accounts.publish, await tokenWith({ repositoryId: "9" }))).toBeUndefined();
  await sandbox.expectNoChanges();
});
