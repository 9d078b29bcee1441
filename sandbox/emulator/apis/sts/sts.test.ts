import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type GithubRun, mintGithubToken } from "../../support/github-issuer.ts";
import { verifyAccessToken } from "../../../lib/tokens.ts";
import {
  attributeCondition,
  attributeMapping,
  GITHUB_ISSUER,
} from "../../../../components/ci/github-claims.ts";
import {
  type Answer,
  bind,
  createRepository,
  enable,
  NUMBER,
  PROJECT,
  refusal,
  REPOSITORY,
  testEmulator,
} from "../../testing/emulator.ts";

const emulator = await testEmulator("iam", "iamcredentials", "sts", "artifactregistry");
const POOLS = `v1/${PROJECT}/locations/global/workloadIdentityPools`;
const POOL = `${NUMBER}/locations/global/workloadIdentityPools/github`;
const PROVIDER = `${POOL}/providers/github`;
const AUDIENCE = `https://iam.googleapis.com/${PROVIDER}`;
const TRUST = {
  repository: "HyperionWave-AI/dev-squad",
  ids: { repository: "901234567", owner: "123456789" },
  refs: ["refs/heads/main", "refs/tags/v*"],
  environment: "production",
};
const publisher = "hyperion-ci@production-471918.iam.gserviceaccount.com";
const previewer = "hyperion-ci-preview@production-471918.iam.gserviceaccount.com";

async function setProvider(change: object): Promise<void> {
  const mask = Object.keys(change).join(",");
  await emulator.ok("PATCH", `v1/${PROVIDER}?updateMask=${mask}`, change);
}

beforeAll(async () => {
  await createRepository(emulator);
  await emulator.ok("POST", `${POOLS}?workloadIdentityPoolId=github`, {});
  await emulator.ok("POST", `${POOLS}/github/providers?workloadIdentityPoolProviderId=github`, {
    attributeMapping: attributeMapping(TRUST),
    attributeCondition: attributeCondition(TRUST),
    oidc: { issuerUri: GITHUB_ISSUER },
  });
  for (const [email, access] of [
    [publisher, "publish"],
    [previewer, "preview"],
  ] as const) {
    await emulator.ok("POST", `v1/${PROJECT}/serviceAccounts`, { accountId: email.split("@")[0] });
    const members = [`principalSet://iam.googleapis.com/${POOL}/attribute.access/${access}`];
    const bindings = [{ role: "roles/iam.workloadIdentityUser", members }];
    await emulator.ok("POST", `v1/${PROJECT}/serviceAccounts/${email}:setIamPolicy`, {
      policy: { bindings },
    });
  }
});

beforeEach(async () => {
  await setProvider({
    attributeMapping: attributeMapping(TRUST),
    attributeCondition: attributeCondition(TRUST),
  });
});

/** Exchanges a token of a run as google-auth-library does. */
async function exchange(run: GithubRun | string, fields: Record<string, string> = {}): Promise<Answer> {
  const token =
    typeof run === "string" ? run : await mintGithubToken(emulator.dir, { audience: AUDIENCE, ...run });
  const response = await emulator.send("v1/token", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: `//iam.googleapis.com/${PROVIDER}`,
      scope: "https://www.googleapis.com/auth/cloud-platform",
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token: token,
      ...fields,
    }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function impersonate(run: GithubRun, email: string): Promise<Answer> {
  const { status, body } = await exchange(run);
  if (status !== 200) return { status, body };
  const response = await emulator.send(`v1/projects/-/serviceAccounts/${email}:generateAccessToken`, {
    method: "POST",
    headers: { authorization: `Bearer ${String(body["access_token"])}` },
    body: JSON.stringify({ scope: ["https://www.googleapis.com/auth/cloud-platform"], lifetime: "600s" }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("a run of the repository becomes a federated identity", async () => {
  const { status, body } = await exchange({});
  expect(status).toBe(200);
  expect(body).toMatchObject({
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "Bearer",
    expires_in: 3600,
  });
  expect(await verifyAccessToken(emulator.dir, String(body["access_token"]))).toEqual({
    principal: `principal://iam.googleapis.com/${POOL}/subject/901234567:17000000001`,
    federation: {
      pool: POOL,
      subject: "901234567:17000000001",
      groups: [],
      attributes: { access: "none", repository: "HyperionWave-AI/dev-squad" },
    },
  });
});

const CONDITION = [
  "unauthorized_client",
  /^The given credential is rejected by the attribute condition\.$/,
] as const;

test.each<[string, GithubRun, string, RegExp]>([
  ["another repository", { repositoryId: "1" }, ...CONDITION],
  [
    "a fork under its own owner",
    { repository: "eve/dev-squad", repositoryId: "2", ownerId: "3" },
    ...CONDITION,
  ],
  ["a reused repository name", { ownerId: "3" }, ...CONDITION],
  [
    "an expired token",
    { ttlSeconds: -10 },
    "invalid_grant",
    /^ID Token issued at \d+ is stale to sign-in\.$/,
  ],
  [
    "another audience",
    { audience: "https://github.com/HyperionWave-AI" },
    "invalid_grant",
    /audience in ID Token \[https:\/\/github\.com\/HyperionWave-AI\] does not match/,
  ],
  [
    "another issuer",
    { issuer: "https://token.actions.example.com" },
    "invalid_grant",
    /issuer in ID Token https:\/\/token\.actions\.example\.com does not match the expected ones: https:\/\/token\.actions\.githubusercontent\.com/,
  ],
])("is refused: %s", async (_, run, error, description) => {
  const body = { error, error_description: expect.stringMatching(description) as string };
  expect(await exchange(run)).toEqual({ status: 400, body });
});

test("is refused: a token with a foreign signature", async () => {
  const other = await testEmulator();
  const forged = await mintGithubToken(other.dir, { audience: AUDIENCE });
  expect(await exchange(forged)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  const [header, payload] = forged.split(".");
  expect(await exchange(`${header ?? ""}.${payload ?? ""}.`)).toMatchObject({ status: 400 });
  expect(await exchange("nonsense")).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
});

test.each([
  ["an audience of another form", { audience: AUDIENCE }, "invalid_request"],
  [
    "a provider that does not exist",
    { audience: `//iam.googleapis.com/${POOL}/providers/gitlab` },
    "invalid_target",
  ],
  ["another grant", { grant_type: "password" }, "unsupported_grant_type"],
  [
    "another kind of token",
    { subject_token_type: "urn:ietf:params:oauth:token-type:saml2" },
    "invalid_request",
  ],
  ["no scope", { scope: "" }, "invalid_request"],
])("is refused: %s", async (_, fields, error) => {
  expect(await exchange({}, fields)).toMatchObject({ status: 400, body: { error } });
});

test("allowed audiences of the provider replace the default", async () => {
  const oidc = { issuerUri: GITHUB_ISSUER };
  await setProvider({ oidc: { ...oidc, allowedAudiences: ["hyperion"] } });
  expect(await exchange({ audience: "hyperion" })).toMatchObject({ status: 200 });
  expect(await exchange({})).toMatchObject({ status: 400 });
  await setProvider({ oidc });
});

test.each([
  ["pool", `v1/${POOL}`],
  ["provider", `v1/${PROVIDER}`],
])("a disabled or deleted %s refuses every token", async (_, path) => {
  const refused = { status: 400, body: { error: "invalid_target" } };
  await emulator.ok("PATCH", `${path}?updateMask=disabled`, { disabled: true });
  expect(await exchange({})).toMatchObject(refused);
  await emulator.ok("PATCH", `${path}?updateMask=disabled`, { disabled: false });
  await emulator.ok("DELETE", path);
  expect(await exchange({})).toMatchObject(refused);
  await emulator.ok("POST", `${path}:undelete`, {});
  expect(await exchange({})).toMatchObject({ status: 200 });
});

describe("a mapping", () => {
  test.each<[string, Record<string, string>, RegExp]>([
    [
      "of a missing claim",
      { "google.subject": "assertion.sub", "attribute.x": "assertion.nope" },
      /attribute mapping of attribute\.x .*No such key: nope/,
    ],
    [
      "of a value that is not a string",
      { "google.subject": "assertion.iat" },
      /google\.subject must be of type STRING/,
    ],
    ["to an empty subject", { "google.subject": "assertion.head_ref" }, /must not be empty/],
    [
      "to a long subject",
      { "google.subject": "assertion.sub + assertion.sub + assertion.sub" },
      /exceeds the 127 bytes limit/,
    ],
    [
      "to groups that are not a list",
      { "google.subject": "assertion.sub", "google.groups": "assertion.actor" },
      /must be a list/,
    ],
  ])("%s is refused", async (_, mapping, description) => {
    await setProvider({ attributeMapping: mapping });
    const body = { error: "invalid_grant", error_description: expect.stringMatching(description) as string };
    expect(await exchange({})).toEqual({ status: 400, body });
  });

  test("can test, search, match and extract", async () => {
    await setProvider({
      attributeMapping: {
        "google.subject": "assertion.repository + '@' + assertion.event_name",
        "google.groups": "[assertion.repository_owner]",
        "attribute.kind": "has(assertion.environment) ? 'deploy' : 'plain'",
        "attribute.known": "'nope' in assertion ? 'yes' : 'no'",
        "attribute.tag": "assertion.ref.matches('^refs/tags/v[0-9]+') ? 'tag' : 'other'",
        "attribute.file": "assertion.workflow_ref.extract('/workflows/{file}@')",
      },
      attributeCondition:
        "assertion.actor == 'dana' && google.subject.endsWith('@push') && attribute.kind == 'plain'",
    });
    const { body } = await exchange({ ref: "refs/tags/v1.2.3" });
    expect(await verifyAccessToken(emulator.dir, String(body["access_token"]))).toMatchObject({
      federation: {
        subject: "HyperionWave-AI/dev-squad@push",
        groups: ["HyperionWave-AI"],
        attributes: { kind: "plain", known: "no", tag: "tag", file: "publish.yml" },
      },
    });
    expect(await exchange({ environment: "production" })).toMatchObject({ status: 400 });
  });
});

/** The job of publish.yml that publishes. */
const PUBLISH: GithubRun = { environment: "production" };

const EVENTS = ["push", "workflow_dispatch", "pull_request", "pull_request_target", "schedule"];
const REFS = ["heads/main", "tags/v1.0.0", "tags/v0-evil", "heads/feature", "tags/nightly"];
const ENVIRONMENTS: Pick<GithubRun, "environment">[] = [
  {},
  { environment: "production" },
  { environment: "staging" },
];
const WORKFLOWS = ["publish.yml", "drift.yml", "evil.yml"];
const REPOSITORIES = [{}, { repository: "eve/dev-squad", repositoryId: "2", ownerId: "3" }];

/** Runs of each event, ref, environment, workflow file and repository. */
const RUNS: GithubRun[] = EVENTS.flatMap((eventName) =>
  REFS.flatMap((ref) =>
    ENVIRONMENTS.flatMap((environment) =>
      WORKFLOWS.flatMap((workflow) =>
        REPOSITORIES.map((fork) => ({
          eventName,
          ref: `refs/${ref}`,
          workflow,
          ...environment,
          ...fork,
        })),
      ),
    ),
  ),
);

/** The expected class of a run; undefined if Google refuses the token. */
function classOf(run: GithubRun): string | undefined {
  const { eventName = "", ref = "", environment, workflow, repositoryId } = run;
  if (repositoryId !== undefined) return undefined;
  if (eventName === "pull_request") return "preview";
  if (eventName !== "push" && eventName !== "workflow_dispatch") return "none";
  if (eventName === "workflow_dispatch" && workflow === "drift.yml" && ref === "refs/heads/main")
    return "drift";
  return environment === "production" && (ref === "refs/heads/main" || ref.startsWith("refs/tags/v"))
    ? "publish"
    : "none";
}

test("every event, ref, environment, workflow file and fork has its class", { timeout: 60_000 }, async () => {
  const wrong: unknown[] = [];
  const seen = new Set<string | undefined>();
  for (const run of RUNS) {
    const { status, body } = await exchange(run);
    const identity =
      status === 200 ? await verifyAccessToken(emulator.dir, String(body["access_token"])) : undefined;
    const access = identity?.federation?.attributes["access"];
    seen.add(access);
    if (access !== classOf(run)) wrong.push({ run, access });
  }
  expect(wrong).toEqual([]);
  expect([...seen].sort()).toEqual(["drift", "none", "preview", "publish", undefined]);
});

describe("impersonation", () => {
  test.each<[string, GithubRun, boolean, boolean]>([
    ["a job of the environment on main", PUBLISH, true, false],
    [
      "v0-evil: a tag with its own workflow",
      { ref: "refs/tags/v0-evil", workflow: "evil.yml" },
      false,
      false,
    ],
    ["the drift job", { eventName: "workflow_dispatch", workflow: "drift.yml" }, false, false],
    ["a pull request", { eventName: "pull_request" }, false, true],
    ["another repository", { ...PUBLISH, repositoryId: "1" }, false, false],
  ])("%s: publishes %s, previews %s", async (_, run, publishes, previews) => {
    expect((await impersonate(run, publisher)).status === 200).toBe(publishes);
    expect((await impersonate(run, previewer)).status === 200).toBe(previews);
  });

  test("gives a token with the requested lifetime", async () => {
    const { body } = await impersonate(PUBLISH, publisher);
    const left = (Date.parse(String(body["expireTime"])) - Date.now()) / 1000;
    expect(left).toBeGreaterThan(590);
    expect(left).toBeLessThanOrEqual(600);
    await bind(emulator, "roles/artifactregistry.reader", `serviceAccount:${publisher}`);
    const headers = { authorization: `Bearer ${String(body["accessToken"])}` };
    expect((await emulator.send(REPOSITORY, { headers })).status).toBe(200);
  });

  test("is refused to the project's owner with Google's message", async () => {
    const path = `v1/projects/-/serviceAccounts/${publisher}:generateAccessToken`;
    const message =
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
    expect(await emulator.call("POST", path, { scope: ["x"] })).toMatchObject(refusal(403, message));
  });

  test("needs its API", async () => {
    await emulator.ok("POST", `v1/${PROJECT}/services/iamcredentials.googleapis.com:disable`, {});
    expect(await impersonate(PUBLISH, publisher)).toMatchObject({
      status: 403,
      body: { error: { details: [{ reason: "SERVICE_DISABLED" }, {}, {}] } },
    });
    await enable(emulator, "iamcredentials");
    await emulator.ok("POST", `v1/${PROJECT}/services/sts.googleapis.com:disable`, {});
    expect(await exchange({})).toMatchObject({ status: 403 });
    await enable(emulator, "sts");
  });

  test("ends when the account is disabled", async () => {
    const path = `v1/${PROJECT}/serviceAccounts/${publisher}`;
    const token = String((await impersonate(PUBLISH, publisher)).body["accessToken"]);
    await emulator.ok("POST", `${path}:disable`, {});
    expect((await impersonate(PUBLISH, publisher)).status).toBe(400);
    const refused = await emulator.send(REPOSITORY, { headers: { authorization: `Bearer ${token}` } });
    expect(refused.status).toBe(401);
    await emulator.ok("POST", `${path}:enable`, {});
    expect((await impersonate(PUBLISH, publisher)).status).toBe(200);
  });
});

test("a role can be granted to the federated identity itself", async () => {
  const { body } = await exchange({});
  const headers = { authorization: `Bearer ${String(body["access_token"])}` };
  await bind(emulator, "roles/artifactregistry.reader", "allAuthenticatedUsers");
  expect((await emulator.send(REPOSITORY, { headers })).status).toBe(403);
  const subject = "901234567:17000000001";
  for (const member of [
    `principal://iam.googleapis.com/${POOL}/subject/${subject}`,
    `principalSet://iam.googleapis.com/${POOL}/*`,
  ]) {
    await bind(emulator, "roles/artifactregistry.reader", member);
    expect((await emulator.send(REPOSITORY, { headers })).status).toBe(200);
  }
});

test("the issuer gives tokens to the maintainer only", async () => {
  const path = `github/token?audience=${encodeURIComponent(AUDIENCE)}&event_name=pull_request`;
  const { value } = await emulator.ok("GET", path);
  expect(await exchange(String(value))).toMatchObject({ status: 200 });
  expect(await emulator.call("GET", path, undefined, "user:dana@example.com")).toMatchObject({ status: 403 });
});
