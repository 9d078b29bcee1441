import { beforeEach, describe, expect, it } from "vitest";
import { MAINTAINER, mintAccessToken } from "../lib/tokens.ts";
import { holdsPermission } from "./support/policies/access.ts";
import { refusal, type TestEmulator, testEmulator } from "./testing/emulator.ts";

const ID = "brand-new-project";
const PROJECT = `projects/${ID}`;
const ACCOUNT = `serviceAccount:drift-account@${ID}.iam.gserviceaccount.com`;
const DANA = "user:dana@example.com";

let emulator: TestEmulator;

beforeEach(async () => {
  emulator = await testEmulator();
  await emulator.ok("POST", "sandbox/projects", { projectId: ID });
});

const enable = (api: string) =>
  emulator.ok("POST", `v1/${PROJECT}/services/${api}.googleapis.com:enable`, {});

const makeAccount = () =>
  emulator.call("POST", `v1/${PROJECT}/serviceAccounts`, { accountId: "drift-account", serviceAccount: {} });

/** Those of the permissions that a member has on a resource. */
const permissionsOn = (resource: string, principal: string, ...permissions: string[]): string[] =>
  permissions.filter((each) => holdsPermission(emulator.context, { principal }, each, resource));

function setPolicy(name: string, role: string, ...members: string[]): void {
  emulator.context.store.change(({ policies }) => {
    policies[name] = { current: { bindings: [{ role, members }] } };
  });
}

describe("a new project", () => {
  it("has the APIs that Google enables by default, and is created once", async () => {
    const { services } = await emulator.ok("GET", `v1/${PROJECT}/services?filter=state:ENABLED`);
    expect((services as { name: string }[]).map(({ name }) => name.split("/").at(-1))).toEqual([
      "serviceusage.googleapis.com",
      "storage.googleapis.com",
    ]);
    expect(await emulator.call("POST", "sandbox/projects", { projectId: ID })).toMatchObject({ status: 409 });
    expect(await makeAccount()).toMatchObject(
      refusal(403, /^Identity and Access Management \(IAM\) API has not been used in project \d+ before/),
    );
  });

  it("gives its maintainer the documented roles only", () => {
    const documented = ["storage.buckets.create", "artifactregistry.repositories.create", "iam.roles.create"];
    const others = ["cloudkms.cryptoKeyVersions.useToDecrypt", "iam.serviceAccounts.actAs"];
    expect(permissionsOn(PROJECT, MAINTAINER, ...documented, ...others)).toEqual(documented);
  });
});

it("an administrator of keys has no permission to use them, and an owner has", async () => {
  await enable("cloudkms");
  const ring = `${PROJECT}/locations/us-central1/keyRings`;
  await emulator.ok("POST", `v1/${ring}?keyRingId=ring`, {});
  await emulator.ok("POST", `v1/${ring}/ring/cryptoKeys?cryptoKeyId=key`, { purpose: "ENCRYPT_DECRYPT" });
  const key = `${ring}/ring/cryptoKeys/key`;
  const [administer, use] = ["cloudkms.cryptoKeys.setIamPolicy", "cloudkms.cryptoKeyVersions.useToDecrypt"];
  expect(permissionsOn(key, MAINTAINER, administer, use)).toEqual([administer]);
  setPolicy(PROJECT, "roles/owner", DANA);
  expect(permissionsOn(key, DANA, administer, use)).toEqual([administer, use]);
});

it("the consumer of a service account's call is its own project, unlike that of a person's call", async () => {
  await enable("iam");
  await makeAccount();
  const read = (as: string) => emulator.call("GET", `v1/${PROJECT}`, undefined, as);
  for (const project of [PROJECT, "projects/production-471918"])
    setPolicy(project, "roles/browser", MAINTAINER, ACCOUNT);
  expect(await read(MAINTAINER)).toMatchObject({ status: 200 });
  const disabled = refusal(403, /^Cloud Resource Manager API has not been used in project/);
  expect(await read(ACCOUNT)).toMatchObject(disabled);
  // The API is enabled in that project, but not in the account's project.
  expect(await emulator.call("GET", "v1/projects/production-471918", undefined, ACCOUNT)).toMatchObject(
    disabled,
  );
});

it("tokeninfo returns the email address of a token", async () => {
  const ask = async (token: string) => (await emulator.send(`tokeninfo?access_token=${token}`)).json();
  expect(await ask(await mintAccessToken(emulator.dir, DANA))).toMatchObject({ email: "dana@example.com" });
  expect(await ask("none")).toMatchObject({ error: "invalid_token" });
});

describe("an organization's policy", () => {
  const organization = (body: object) => emulator.ok("PUT", "sandbox/org-policy", body);
  const pools = `v1/${PROJECT}/locations/global/workloadIdentityPools`;
  const provider = {
    oidc: { issuerUri: "https://token.actions.githubusercontent.com" },
    attributeMapping: { "google.subject": "assertion.sub" },
    attributeCondition: "assertion.repository_id == '1'",
  };

  beforeEach(async () => {
    await enable("iam");
    await enable("orgpolicy");
  });

  it("disables the creation of service accounts", async () => {
    await organization({ mode: "deny", constraint: "iam.disableServiceAccountCreation" });
    const message = "Service account creation is not allowed on this project.";
    expect(await makeAccount()).toMatchObject(refusal(400, message, { status: "FAILED_PRECONDITION" }));
    await organization({ mode: "allow", constraint: "iam.disableServiceAccountCreation" });
    expect(await makeAccount()).toMatchObject({ status: 200 });
  });

  it("refuses an issuer", async () => {
    await organization({ mode: "deny", constraint: "iam.workloadIdentityPoolProviders" });
    await emulator.ok("POST", `${pools}?workloadIdentityPoolId=github`, {});
    const make = () =>
      emulator.call("POST", `${pools}/github/providers?workloadIdentityPoolProviderId=github`, provider);
    const details = [{ violations: [{ type: "constraints/iam.workloadIdentityPoolProviders" }] }];
    expect(await make()).toMatchObject(refusal(400, "Precondition check failed.", { details }));
    await organization({ mode: "allow", constraint: "iam.workloadIdentityPoolProviders" });
    expect(await make()).toMatchObject({ status: 200 });
  });

  it("denies what a custom constraint matches", async () => {
    await organization({
      mode: "deny",
      constraint: "custom.noUsers",
      condition: "resource.bindings.exists(b, b.members.exists(m, m.startsWith('user:dana')))",
    });
    await makeAccount();
    const bind = (member: string) =>
      emulator.call("POST", `v1/${PROJECT}/serviceAccounts/${ACCOUNT.split(":")[1] ?? ""}:setIamPolicy`, {
        policy: { bindings: [{ role: "roles/iam.serviceAccountUser", members: [member] }] },
      });
    expect(await bind(DANA)).toMatchObject(
      refusal(400, 'Operation denied by org policy: ["customConstraints/custom.noUsers": "custom.noUsers"].'),
    );
    expect(await bind("user:lee@example.com")).toMatchObject({ status: 200 });
    const effective = `v2/${PROJECT}/policies/custom.noUsers:getEffectivePolicy`;
    expect(await emulator.ok("GET", effective)).toMatchObject({ spec: { rules: [{ enforce: true }] } });
  });
});
