import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type GithubRun, mintGithubToken } from "../../support/github-issuer.ts";
import { ensureKeys } from "../../../lib/keys.ts";
import { sandboxPaths } from "../../../lib/paths.ts";
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
import { useScratch } from "../../../../test/support/scratch.ts";

const scratch = useScratch();
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
const ACCOUNT = `v1/${PROJECT}/serviceAccounts/${publisher}`;
/** The job of publish.yml that publishes. */
const PUBLISH: GithubRun = { environment: "production" };

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
  await emulator.ok("POST", `v1/${PROJECT}/serviceAccounts`, { accountId: "hyperion-ci" });
  const members = [`principalSet://iam.googleapis.com/${POOL}/attribute.access/publish`];
  const bindings = [{ role: "roles/iam.workloadIdentityUser", members }];
  await emulator.ok("POST", `${ACCOUNT}:setIamPolicy`, { policy: { bindings } });
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

async function impersonate(run: GithubRun = PUBLISH): Promise<Answer> {
  const { status, body } = await exchange(run);
  if (status !== 200) return { status, body };
  const path = `v1/projects/-/serviceAccounts/${publisher}:generateAccessToken`;
  const response = await emulator.send(path, {
    method: "POST",
    headers: { authorization: `Bearer ${String(body["access_token"])}` },
    body: JSON.stringify({ scope: ["https://www.googleapis.com/auth/cloud-platform"], lifetime: "600s" }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Reads the repository with an access token; returns the status. */
async function read(token: unknown): Promise<number> {
  const headers = { authorization: `Bearer ${String(token)}` };
  return (await emulator.send(REPOSITORY, { headers })).status;
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
      attributes: { access: "none", repository: "HyperionWave-AI/dev-squad" },
    },
  });
});

test.each<[string, GithubRun, string, RegExp]>([
  [
    "another repository",
    { repositoryId: "1" },
    "unauthorized_client",
    /^The given credential is rejected by the attribute condition\.$/,
  ],
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
    { issuer: "https://actions.example.com" },
    "invalid_grant",
    /issuer in ID Token https:\/\/actions\.example\.com does not match the expected ones: https:\/\/token\.actions/,
  ],
])("is refused: %s", async (_, run, error, description) => {
  const body = { error, error_description: expect.stringMatching(description) as string };
  expect(await exchange(run)).toEqual({ status: 400, body });
});

test("is refused: a token with a foreign signature", async () => {
  await ensureKeys(sandboxPaths(scratch.folder));
  const forged = await mintGithubToken(scratch.folder, { audience: AUDIENCE });
  expect(await exchange(forged)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  const [header, payload] = forged.split(".");
  expect(await exchange(`${header ?? ""}.${payload ?? ""}.`)).toMatchObject({ status: 400 });
  expect(await exchange("nonsense")).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
});

test.each([
  ["an audience of another form", { audience: AUDIENCE }, "invalid_request"],
  ["an unknown provider", { audience: `//iam.googleapis.com/${POOL}/providers/gitlab` }, "invalid_target"],
  ["another grant", { grant_type: "password" }, "unsupported_grant_type"],
  ["another kind of token", { subject_token_type: "urn:ietf:params:oauth:saml2" }, "invalid_request"],
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
  const subject = (expression: string) => ({ "google.subject": expression });

  test.each<[string, Record<string, string>, RegExp]>([
    [
      "of a missing claim",
      { ...subject("assertion.sub"), "attribute.x": "assertion.nope" },
      /attribute mapping of attribute\.x .*No such key: nope/,
    ],
    ["of a value that is not a string", subject("assertion.iat"), /google\.subject must be of type STRING/],
    ["to an empty subject", subject("assertion.head_ref"), /must not be empty/],
    ["to a long subject", subject("assertion.sub + assertion.sub + assertion.sub"), /exceeds the 127 bytes/],
  ])("%s is refused", async (_, mapping, description) => {
    await setProvider({ attributeMapping: mapping });
    const body = { error: "invalid_grant", error_description: expect.stringMatching(description) as string };
    expect(await exchange({})).toEqual({ status: 400, body });
  });

  test("can test, search and match", async () => {
    await setProvider({
      attributeMapping: {
        "google.subject": "assertion.repository + '@' + assertion.event_name",
        "attribute.kind": "has(assertion.environment) ? 'deploy' : 'plain'",
        "attribute.known": "'nope' in assertion ? 'yes' : 'no'",
        "attribute.tag": "assertion.ref.matches('^refs/tags/v[0-9]+') ? 'tag' : 'other'",
      },
      attributeCondition:
        "assertion.actor == 'dana' && google.subject.endsWith('@push') && attribute.kind == 'plain'",
    });
    const { body } = await exchange({ ref: "refs/tags/v1.2.3" });
    expect(await verifyAccessToken(emulator.dir, String(body["access_token"]))).toMatchObject({
      federation: {
        subject: "HyperionWave-AI/dev-squad@push",
        attributes: { kind: "plain", known: "no", tag: "tag" },
      },
    });
    expect(await exchange({ environment: "production" })).toMatchObject({ status: 400 });
  });
});

describe("impersonation", () => {
  test("needs a binding of the run's identity, and gives a token with the requested lifetime", async () => {
    expect(await impersonate({ eventName: "pull_request" })).toMatchObject({ status: 403 });
    const { body } = await impersonate();
    const left = (Date.parse(String(body["expireTime"])) - Date.now()) / 1000;
    expect(left).toBeGreaterThan(590);
    expect(left).toBeLessThanOrEqual(600);
    await bind(emulator, "roles/artifactregistry.reader", `serviceAccount:${publisher}`);
    expect(await read(body["accessToken"])).toBe(200);
  });

  test("is refused to the project's owner with Google's message", async () => {
    const message =
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
    expect(await emulator.call("POST", `${ACCOUNT}:generateAccessToken`, { scope: ["x"] })).toMatchObject(
      refusal(403, message),
    );
  });

  test("needs its API", async () => {
    await emulator.ok("POST", `v1/${PROJECT}/services/iamcredentials.googleapis.com:disable`, {});
    expect(await impersonate()).toMatchObject({
      status: 403,
      body: { error: { details: [{ reason: "SERVICE_DISABLED" }, {}, {}] } },
    });
    await enable(emulator, "iamcredentials");
    await emulator.ok("POST", `v1/${PROJECT}/services/sts.googleapis.com:disable`, {});
    expect(await exchange({})).toMatchObject({ status: 403 });
    await enable(emulator, "sts");
  });
});

test("a role can be granted to the federated identity itself", async () => {
  const { access_token: token } = (await exchange({})).body;
  await bind(emulator, "roles/artifactregistry.reader", "allAuthenticatedUsers");
  expect(await read(token)).toBe(403);
  for (const set of [
    "principal://iam.googleapis.com/POOL/subject/901234567:17000000001",
    "principalSet://iam.googleapis.com/POOL/*",
  ]) {
    await bind(emulator, "roles/artifactregistry.reader", set.replace("POOL", POOL));
    expect(await read(token)).toBe(200);
  }
});
