import { describe, expect, test } from "vitest";
import {
  NUMBER,
  PROJECT,
  refusal,
  finished,
  testEmulator,
  type TestEmulator,
} from "../../testing/emulator.ts";

const emulator = await testEmulator("iam");
const POOLS = `v1/${PROJECT}/locations/global/workloadIdentityPools`;
const POOL = `${POOLS}/github`;
const POOL_NAME = `${NUMBER}/locations/global/workloadIdentityPools/github`;

const provider = {
  attributeMapping: { "google.subject": "assertion.sub", "attribute.repository": "assertion.repository" },
  attributeCondition: "assertion.repository == 'HyperionWave-AI/dev-squad'",
  oidc: { issuerUri: "https://token.actions.githubusercontent.com" },
};

function createProvider(change: object = {}, id = "github"): ReturnType<TestEmulator["call"]> {
  return emulator.call("POST", `${POOL}/providers?workloadIdentityPoolProviderId=${id}`, {
    ...provider,
    ...change,
  });
}

test("a pool is named by the project's number", async () => {
  const body = { displayName: "GitHub Actions", description: "" };
  const operation = await emulator.ok("POST", `${POOLS}?workloadIdentityPoolId=github`, body);
  expect(await finished(emulator, operation)).toMatchObject({ response: { name: POOL_NAME } });
  const expected = { name: POOL_NAME, displayName: "GitHub Actions", state: "ACTIVE" };
  expect(await emulator.ok("GET", POOL)).toEqual(expected);
  expect(await emulator.ok("GET", `v1/${POOL_NAME}`)).toEqual(expected);
  expect(await emulator.ok("GET", `${POOL}:listAttestationRules`)).toEqual({});
});

test.each(["abc", "gcp-x", "UPPER", "x".repeat(33)])("a pool cannot have the id %s", async (id) => {
  expect(await emulator.call("POST", `${POOLS}?workloadIdentityPoolId=${id}`, {})).toMatchObject({
    status: 400,
  });
});

test("a pool's masked fields change", async () => {
  await emulator.ok("PATCH", `${POOL}?updateMask=description,disabled`, { description: "d", disabled: true });
  expect(await emulator.ok("GET", POOL)).toMatchObject({
    description: "d",
    disabled: true,
    displayName: "GitHub Actions",
  });
  await emulator.ok("PATCH", `${POOL}?updateMask=description,disabled`, { description: "", disabled: false });
  expect(await emulator.ok("GET", POOL)).toEqual({
    name: POOL_NAME,
    displayName: "GitHub Actions",
    state: "ACTIVE",
  });
  expect(await emulator.call("PATCH", `${POOL}?updateMask=state`, {})).toMatchObject({ status: 400 });
});

describe("a provider", () => {
  test("keeps its mapping and condition", async () => {
    expect(await createProvider()).toMatchObject({ status: 200 });
    expect(await emulator.ok("GET", `${POOL}/providers/github`)).toEqual({
      name: `${POOL_NAME}/providers/github`,
      state: "ACTIVE",
      ...provider,
    });
  });

  test.each([
    [
      "a condition that does not parse",
      { attributeCondition: "assertion.repository ==" },
      /attribute condition expression/,
    ],
    [
      "a condition that is not a boolean",
      { attributeCondition: "assertion.sub + 'x'" },
      /expected type bool/,
    ],
    [
      "no condition for a shared issuer",
      { attributeCondition: "" },
      /must reference one of the provider's claims/,
    ],
    [
      "a condition without a claim",
      { attributeCondition: "true" },
      /must reference one of the provider's claims/,
    ],
    ["an unknown variable", { attributeCondition: "assertion.a == claims.b" }, /Unknown variable: claims/],
    ["an unknown function", { attributeCondition: "assertion.a.frob()" }, /frob/],
    [
      "a mapping that does not parse",
      { attributeMapping: { "google.subject": "assertion." } },
      /attribute mapping expression/,
    ],
    [
      "a mapping without a subject",
      { attributeMapping: { "attribute.a": "assertion.a" } },
      /must map google.subject/,
    ],
    [
      "an attribute of a bad name",
      { attributeMapping: { "google.subject": "assertion.sub", "attribute.A-b": "assertion.a" } },
      /Invalid attribute name "attribute.A-b"/,
    ],
    [
      "an issuer without https",
      { oidc: { issuerUri: "http://token.actions.githubusercontent.com" } },
      /Invalid issuer URI/,
    ],
    ["no issuer", { oidc: undefined }, /must have one of/],
    [
      "a condition that is too long",
      { attributeCondition: `assertion.a == '${"x".repeat(4096)}'` },
      /at most 4096/,
    ],
    ["an unknown field", { saml2: {} }, /Unknown name "saml2"/],
  ])("is refused with %s", async (_, change, message) => {
    expect(await createProvider(change, "other")).toMatchObject(
      refusal(400, message, { status: "INVALID_ARGUMENT" }),
    );
  });

  test("changes by mask, and not to invalid values", async () => {
    const path = `${POOL}/providers/github?updateMask=attributeCondition`;
    const attributeCondition = "assertion.repository_id == '1' && google.subject.startsWith('repo:')";
    await emulator.ok("PATCH", path, { attributeCondition });
    expect(await emulator.ok("GET", `${POOL}/providers/github`)).toMatchObject({
      ...provider,
      attributeCondition,
    });
    expect(await emulator.call("PATCH", path, { attributeCondition: "(" })).toMatchObject({ status: 400 });
    expect(await emulator.ok("GET", `${POOL}/providers/github`)).toMatchObject({ attributeCondition });
  });
});

test.each([
  [
    "provider",
    `${POOL}/providers/github`,
    `${POOL}/providers?workloadIdentityPoolProviderId=github`,
    provider,
  ],
  ["pool", POOL, `${POOLS}?workloadIdentityPoolId=github`, {}],
])("a deleted %s reserves its id for 30 days and can be undeleted", async (_, path, create, body) => {
  await emulator.ok("DELETE", path);
  const deleted = await emulator.ok("GET", path);
  expect(deleted).toMatchObject({ state: "DELETED", expireTime: expect.any(String) as string });
  const days = (Date.parse(String(deleted["expireTime"])) - Date.now()) / 86_400_000;
  expect(days).toBeCloseTo(30, 1);
  expect(await emulator.call("POST", create, body)).toMatchObject({
    status: 409,
    body: { error: { status: "ALREADY_EXISTS" } },
  });
  const list = path.slice(0, path.lastIndexOf("/"));
  expect(await emulator.ok("GET", list)).toEqual({});
  expect(Object.keys(await emulator.ok("GET", `${list}?showDeleted=true`))).toHaveLength(1);
  emulator.restart();
  await emulator.ok("POST", `${path}:undelete`, {});
  expect(await emulator.ok("GET", path)).toMatchObject({ state: "ACTIVE" });
  expect(await emulator.ok("GET", path)).not.toHaveProperty("expireTime");
  expect(await emulator.call("POST", `${path}:undelete`, {})).toMatchObject({ status: 400 });
});

test("after 30 days the id is free", async () => {
  await emulator.ok("DELETE", POOL);
  const pool = emulator.context.store.state.pools[POOL_NAME];
  if (pool) pool.expireTime = "2020-01-01T00:00:00.000000Z";
  await emulator.ok("POST", `${POOLS}?workloadIdentityPoolId=github`, {});
  expect(await emulator.call("GET", `${POOL}/providers/github`)).toMatchObject({ status: 404 });
});
