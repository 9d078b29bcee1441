import { describe, expect, test } from "vitest";
import {
  finished,
  NUMBER,
  PROJECT,
  refusal,
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
  const change = (body: object) => emulator.ok("PATCH", `${POOL}?updateMask=description,disabled`, body);
  await change({ description: "d", disabled: true });
  const changed = { description: "d", disabled: true, displayName: "GitHub Actions" };
  expect(await emulator.ok("GET", POOL)).toMatchObject(changed);
  await change({ description: "", disabled: false });
  const cleared = { name: POOL_NAME, displayName: "GitHub Actions", state: "ACTIVE" };
  expect(await emulator.ok("GET", POOL)).toEqual(cleared);
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

  const condition = (attributeCondition: string) => ({ attributeCondition });
  const mapping = (attributeMapping: Record<string, string>) => ({ attributeMapping });
  const subject = { "google.subject": "assertion.sub" };

  test.each([
    ["a condition that does not parse", condition("assertion.a =="), /attribute condition expression/],
    ["a condition that is not a boolean", condition("assertion.sub + 'x'"), /expected type bool/],
    ["no condition for a shared issuer", condition(""), /must reference one of the provider's claims/],
    ["a condition without a claim", condition("true"), /must reference one of the provider's claims/],
    ["an unknown variable", condition("assertion.a == claims.b"), /Unknown variable: claims/],
    ["an unknown function", condition("assertion.a.frob()"), /frob/],
    ["a condition that is too long", condition(`assertion.a == '${"x".repeat(4096)}'`), /at most 4096/],
    ["a mapping that does not parse", mapping({ "google.subject": "assertion." }), /mapping expression/],
    ["a mapping without a subject", mapping({ "attribute.a": "assertion.a" }), /must map google.subject/],
    [
      "an attribute of a bad name",
      mapping({ ...subject, "attribute.A-b": "assertion.a" }),
      /"attribute.A-b"/,
    ],
    ["an issuer without https", { oidc: { issuerUri: "http://a.example" } }, /Invalid issuer URI/],
    ["no issuer", { oidc: undefined }, /must have one of/],
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
  ["provider", `${POOL}/providers/github`, "workloadIdentityPoolProviderId", provider],
  ["pool", POOL, "workloadIdentityPoolId", {}],
])("a deleted %s reserves its id for 30 days and can be undeleted", async (_, path, parameter, body) => {
  const list = path.slice(0, path.lastIndexOf("/"));
  await emulator.ok("DELETE", path);
  const deleted = await emulator.ok("GET", path);
  expect(deleted).toMatchObject({ state: "DELETED", expireTime: expect.any(String) as string });
  const days = (Date.parse(String(deleted["expireTime"])) - Date.now()) / 86_400_000;
  expect(days).toBeCloseTo(30, 1);
  expect(await emulator.call("POST", `${list}?${parameter}=github`, body)).toMatchObject({
    status: 409,
    body: { error: { status: "ALREADY_EXISTS" } },
  });
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
