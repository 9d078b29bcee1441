import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MAINTAINER, mintAccessToken } from "../../../lib/tokens.ts";
import { bind, createRepository, NUMBER, PROJECT, refusal, testEmulator } from "../../testing/emulator.ts";

const emulator = await testEmulator("artifactregistry", "orgpolicy");
const POLICIES = `v2/${PROJECT}/policies`;
const DOMAINS = "iam.allowedPolicyMemberDomains";
const MANAGED = "iam.managed.allowedPolicyMembers";
const READER = "roles/artifactregistry.reader";
const REFUSAL =
  "One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.";

beforeAll(() => createRepository(emulator));

async function organization(body: object): Promise<void> {
  await emulator.ok("PUT", "sandbox/org-policy", body);
}

function effective(constraint = DOMAINS): Promise<Record<string, unknown>> {
  return emulator.ok("GET", `${POLICIES}/${constraint}:getEffectivePolicy`);
}

beforeEach(async () => {
  await organization({ mode: "allow" });
  await organization({ mode: "allow", constraint: MANAGED });
  await emulator.call("DELETE", `${POLICIES}/${DOMAINS}`);
  await bind(emulator, READER);
});

test("a person's own login needs a quota project, a service account does not", async () => {
  const path = `${POLICIES}/${DOMAINS}`;
  const ask = async (principal: string, headers: Record<string, string> = {}): Promise<Response> =>
    emulator.send(path, {
      headers: { authorization: `Bearer ${await mintAccessToken(emulator.dir, principal)}`, ...headers },
    });
  const refused = await ask(MAINTAINER);
  expect(refused.status).toBe(403);
  expect(await refused.text()).toContain("requires a quota project, which is not set by default");
  expect((await ask(MAINTAINER, { "x-goog-user-project": "production-471918" })).status).toBe(404);
  expect(
    await (await ask("serviceAccount:x@production-471918.iam.gserviceaccount.com")).text(),
  ).not.toContain("quota project");
});

test("nothing is restricted by default", async () => {
  expect(await effective()).toEqual({
    name: `${NUMBER}/policies/${DOMAINS}`,
    spec: { rules: [{ allowAll: true }] },
  });
  expect(await bind(emulator, READER, "allUsers")).toMatchObject({ status: 200 });
});

describe("an organization restricted to its own customer", () => {
  beforeEach(() => organization({ mode: "deny" }));

  test("applies the restriction to its projects", async () => {
    expect(await effective()).toMatchObject({
      spec: { rules: [{ values: { allowedValues: ["C0hyperion"] } }] },
    });
    expect(await emulator.call("GET", `${POLICIES}/${DOMAINS}`)).toMatchObject({ status: 404 });
  });

  test.each(["allUsers", "allAuthenticatedUsers", "user:a@partner.example", "domain:elsewhere.example"])(
    "refuses %s",
    async (member) => {
      const name = member.replace(/^(user|domain):/, "");
      const violation = {
        type: `constraints/${DOMAINS}`,
        subject: `orgpolicy:${PROJECT}?configvalue=${encodeURIComponent(name)}`,
        description: `User ${name} is not in permitted organization.`,
      };
      const type = "type.googleapis.com/google.rpc.PreconditionFailure";
      expect(await bind(emulator, READER, member)).toMatchObject(
        refusal(400, REFUSAL, {
          status: "FAILED_PRECONDITION",
          details: [{ "@type": type, violations: [violation] }],
        }),
      );
    },
  );

  test.each([
    "user:dana@example.com",
    "group:developers@example.com",
    "domain:example.com",
    `principalSet://iam.googleapis.com/${NUMBER}/locations/global/workloadIdentityPools/github/*`,
  ])("permits %s", async (member) => {
    expect(await bind(emulator, READER, member)).toMatchObject({ status: 200 });
  });

  test("can be lifted by a policy of a project until that is deleted", async () => {
    const body = { name: `${PROJECT}/policies/${DOMAINS}`, spec: { rules: [{ allowAll: "TRUE" }] } };
    const made = await emulator.ok("POST", POLICIES, body);
    expect(made).toMatchObject({
      name: `${NUMBER}/policies/${DOMAINS}`,
      spec: { rules: [{ allowAll: true }] },
    });
    expect(await emulator.call("POST", POLICIES, body)).toMatchObject({ status: 409 });
    expect(await bind(emulator, READER, "allUsers")).toMatchObject({ status: 200 });
    expect(await emulator.ok("DELETE", `${POLICIES}/${DOMAINS}`)).toEqual({});
    // The constraint does not apply to existing members.
    expect(await bind(emulator, READER, "allUsers", "user:dana@example.com")).toMatchObject({ status: 200 });
    await bind(emulator, READER);
    expect(await bind(emulator, READER, "allUsers")).toMatchObject({ status: 400 });
  });

  test("can be widened by a project that inherits", async () => {
    const rules = [{ values: { allowedValues: ["is:C0partner"] } }];
    await emulator.ok("POST", POLICIES, {
      name: `${PROJECT}/policies/${DOMAINS}`,
      spec: { inheritFromParent: true, rules },
    });
    for (const member of ["user:a@partner.example", "user:dana@example.com"])
      expect(await bind(emulator, READER, member)).toMatchObject({ status: 200 });
    expect(await bind(emulator, READER, "allUsers")).toMatchObject({ status: 400 });
  });

  test("can be reset to Google's default by a project", async () => {
    const policy = await emulator.ok("POST", POLICIES, {
      name: `${PROJECT}/policies/${DOMAINS}`,
      spec: { inheritFromParent: true },
    });
    expect(await effective()).toMatchObject({ spec: { rules: [{ values: {} }] } });
    await emulator.ok("PATCH", `${POLICIES}/${DOMAINS}`, { spec: { reset: true }, etag: policy["etag"] });
    expect(await effective()).toMatchObject({ spec: { rules: [{ allowAll: true }] } });
    const stale = await emulator.call("PATCH", `${POLICIES}/${DOMAINS}`, { spec: {}, etag: policy["etag"] });
    expect(stale).toMatchObject({ status: 409 });
  });
});

test("permits the customers that an organization names", async () => {
  await organization({ mode: "domains", customers: ["C0partner"] });
  expect(await bind(emulator, READER, "user:a@partner.example")).toMatchObject({ status: 200 });
  expect(await bind(emulator, READER, "user:dana@example.com")).toMatchObject({ status: 400 });
});

test("supports the managed constraint of newer organizations", async () => {
  await organization({ mode: "deny", constraint: MANAGED });
  expect(await effective(MANAGED)).toMatchObject({
    spec: { rules: [{ enforce: true, parameters: { allowedPrincipalSets: [expect.any(String)] } }] },
  });
  expect(await bind(emulator, READER, "allUsers")).toMatchObject({ status: 400 });
  expect(await bind(emulator, READER, "user:dana@example.com")).toMatchObject({ status: 200 });
});

test("a changed policy is returned immediately and takes effect later", async () => {
  await organization({ mode: "deny", delaySeconds: 120 });
  expect(await effective()).toMatchObject({ spec: { rules: [{ values: {} }] } });
  expect(await bind(emulator, READER, "allUsers")).toMatchObject({ status: 200 });
  await bind(emulator, READER);
  await emulator.ok("POST", "sandbox/faults", { kind: "clock-skew", seconds: 121 });
  expect(await bind(emulator, READER, "allUsers")).toMatchObject({ status: 400 });
  await emulator.ok("DELETE", "sandbox/faults");
});

test.each([
  ["a rule with two kinds", { rules: [{ allowAll: true, denyAll: true }] }],
  ["a rule of the wrong kind", { rules: [{ enforce: true }] }],
  ["an unknown field", { rule: [] }],
])("refuses %s", async (_, spec) => {
  const body = { name: `${PROJECT}/policies/${DOMAINS}`, spec };
  expect(await emulator.call("POST", POLICIES, body)).toMatchObject({ status: 400 });
});

test("an update changes the masked fields, which must exist", async () => {
  const rules = [{ allowAll: true }];
  const body = { name: `${PROJECT}/policies/${DOMAINS}`, spec: { rules } };
  const made = await emulator.ok("POST", POLICIES, body);
  const update = (mask: string) =>
    emulator.call("PATCH", `${POLICIES}/${DOMAINS}?updateMask=${mask}`, { spec: { reset: true } });
  expect(await update("policy.rules")).toMatchObject(refusal(400, /Invalid update_mask: "rules"/));
  expect(await update("policy.dry_run_spec")).toEqual({ status: 200, body: made });
  for (const mask of ["policy.spec", "*", ""])
    expect(await update(mask)).toMatchObject({ status: 200, body: { spec: { reset: true } } });
});

test("an owner reads policies and does not change them", async () => {
  const OLGA = "user:olga@example.com";
  const bindings = [{ role: "roles/owner", members: [OLGA, MAINTAINER] }];
  await emulator.ok("POST", `v1/${PROJECT}:setIamPolicy`, { policy: { bindings } });
  await emulator.ok("GET", `${POLICIES}/${DOMAINS}:getEffectivePolicy`, undefined, OLGA);
  const body = { name: `${PROJECT}/policies/${DOMAINS}`, spec: {} };
  expect(await emulator.call("POST", POLICIES, body, OLGA)).toMatchObject({ status: 403 });
});
