import { beforeAll, describe, expect, test } from "vitest";
import { mintAccessToken } from "../../../lib/tokens.ts";
import {
  bind,
  createRepository,
  PROJECT,
  refusal,
  REPOSITORIES,
  REPOSITORY,
  testEmulator,
} from "../../testing/emulator.ts";

const emulator = await testEmulator("artifactregistry", "iam");
const DANA = "user:dana@example.com";
const READER = "roles/artifactregistry.reader";
const DOMAIN = "production-471918.iam.gserviceaccount.com";

const setPolicy = (policy: object) => emulator.call("POST", `${REPOSITORY}:setIamPolicy`, { policy });
/** The status of reading the repository. */
const read = async (as: string | null) => (await emulator.call("GET", REPOSITORY, undefined, as)).status;

beforeAll(() => createRepository(emulator));

describe("a policy", () => {
  test("is empty at first, with the etag ACAB", async () => {
    expect(await emulator.ok("GET", `${REPOSITORY}:getIamPolicy`)).toEqual({ etag: "ACAB" });
  });

  test("keeps the bindings of others when it refuses a stale etag", async () => {
    const set = await setPolicy({ bindings: [{ role: READER, members: [DANA] }], etag: "ACAB" });
    expect(set.body["etag"]).toMatch(/^[A-Za-z0-9+/]{11}=$/);
    expect(await setPolicy({ bindings: [], etag: "ACAB" })).toMatchObject(
      refusal(409, /concurrent policy changes/, { status: "ABORTED" }),
    );
    expect(await emulator.ok("GET", `${REPOSITORY}:getIamPolicy`)).toEqual(set.body);
  });

  test("accepts an etag in URL-safe base64, as gcloud sends it", async () => {
    const { etag, bindings } = await emulator.ok("GET", `${REPOSITORY}:getIamPolicy`);
    const urlSafe = String(etag).replaceAll("+", "-").replaceAll("/", "_");
    expect(await setPolicy({ bindings, etag: urlSafe })).toMatchObject({ status: 200 });
  });

  test("merges the bindings of a role and lowercases addresses", async () => {
    const bindings = [
      { role: READER, members: ["user:Dana@Example.com"] },
      { role: READER, members: [DANA, "allUsers"] },
      { role: "roles/artifactregistry.writer", members: [] },
    ];
    const { body } = await setPolicy({ bindings });
    expect(body["bindings"]).toEqual([{ role: READER, members: [DANA, "allUsers"] }]);
  });

  test.each([
    [
      "an unknown role",
      "roles/artifactregistry.readr",
      DANA,
      /Role roles\/artifactregistry\.readr is not supp/,
    ],
    ["a member without a type", READER, "dana@example.com", /must be of the form "<type>:<value>"/],
    ["an unknown type", READER, "usr:dana@example.com", /is of an unknown type/],
    ["an account that does not exist", READER, `serviceAccount:no@${DOMAIN}`, /does not exist/],
  ])("refuses %s", async (_, role, member, message) => {
    expect(await bind(emulator, role, member)).toMatchObject(refusal(400, message));
  });
});

describe("permissions", () => {
  test("a missing, an invalid and an expired token get 401", async () => {
    expect(await read(null)).toBe(401);
    for (const token of ["nonsense", await mintAccessToken(emulator.dir, DANA, -1)]) {
      const response = await emulator.send(REPOSITORY, { headers: { authorization: `Bearer ${token}` } });
      expect(await response.json()).toMatchObject({ error: { code: 401, status: "UNAUTHENTICATED" } });
    }
  });

  test("a stranger gets Google's message", async () => {
    const path = `${REPOSITORIES}?repositoryId=x`;
    const message =
      "Permission 'artifactregistry.repositories.create' denied on resource '//artifactregistry.googleapis.com/projects/production-471918/locations/us-central1' (or it may not exist).";
    expect(await emulator.call("POST", path, { format: "DOCKER" }, DANA)).toMatchObject(
      refusal(403, message, { status: "PERMISSION_DENIED" }),
    );
  });

  test("a project that does not exist gets 403, like a project of others", async () => {
    expect(await emulator.call("GET", "v1/projects/nowhere/locations")).toMatchObject({ status: 403 });
  });

  test.each([
    ["roles/artifactregistry.writer", [200, 403, 403]],
    ["roles/artifactregistry.admin", [200, 200, 200]],
  ])("%s on the repository: read, update, getIamPolicy: %j", async (role, statuses) => {
    await bind(emulator, role, DANA);
    const answers = [
      await emulator.call("GET", REPOSITORY, undefined, DANA),
      await emulator.call("PATCH", `${REPOSITORY}?updateMask=labels`, {}, DANA),
      await emulator.call("GET", `${REPOSITORY}:getIamPolicy`, undefined, DANA),
    ];
    expect(answers.map(({ status }) => status)).toEqual(statuses);
  });

  test("a binding on the project applies to its resources", async () => {
    const VIC = "user:vic@example.com";
    const policy = await emulator.ok("POST", `v1/${PROJECT}:getIamPolicy`, {});
    const bindings = [...(policy["bindings"] as object[]), { role: "roles/viewer", members: [VIC] }];
    await emulator.ok("POST", `v1/${PROJECT}:setIamPolicy`, { policy: { ...policy, bindings } });
    expect(await read(VIC)).toBe(200);
    expect(await emulator.call("DELETE", REPOSITORY, undefined, VIC)).toMatchObject({ status: 403 });
  });

  test("a custom role has exactly its permissions", async () => {
    const role = { includedPermissions: ["artifactregistry.repositories.get"] };
    await emulator.ok("POST", `v1/${PROJECT}/roles`, { roleId: "looker", role });
    await bind(emulator, `${PROJECT}/roles/looker`, DANA);
    expect(await read(DANA)).toBe(200);
    expect(await emulator.call("GET", `${REPOSITORY}/packages`, undefined, DANA)).toMatchObject({
      status: 403,
    });
  });

  test("a binding can take time to propagate", async () => {
    await emulator.ok("POST", "sandbox/faults", { kind: "iam-spreading", seconds: 60 });
    await bind(emulator, READER, "user:late@example.com");
    expect(await read("user:late@example.com")).toBe(403);
    await emulator.ok("POST", "sandbox/faults", { kind: "clock-skew", seconds: 61 });
    expect(await read("user:late@example.com")).toBe(200);
    await emulator.ok("DELETE", "sandbox/faults");
  });

  test("a quota project requires the permission to use it", async () => {
    const token = await mintAccessToken(emulator.dir, DANA);
    const response = await emulator.send(`v1/${PROJECT}`, {
      headers: { authorization: `Bearer ${token}`, "x-goog-user-project": "production-471918" },
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { details: [{ reason: "USER_PROJECT_DENIED" }] } });
  });
});

describe("a service account", () => {
  const ACCOUNTS = `v1/${PROJECT}/serviceAccounts`;
  const email = `hyperion-ci@${DOMAIN}`;

  test("is created once, is read by email, by unique id and without a project, and is updated by mask", async () => {
    const create = { accountId: "hyperion-ci", serviceAccount: { displayName: "Hyperion CI" } };
    const made = await emulator.ok("POST", ACCOUNTS, create);
    expect(made["uniqueId"]).toMatch(/^\d{21}$/);
    expect(await emulator.call("POST", ACCOUNTS, create)).toMatchObject({ status: 409 });
    for (const path of [
      `${ACCOUNTS}/${email}`,
      `v1/projects/-/serviceAccounts/${email}`,
      `${ACCOUNTS}/${String(made["uniqueId"])}`,
    ])
      expect(await emulator.ok("GET", path)).toEqual(made);
    const serviceAccount = { displayName: "x", description: "Publishes" };
    await emulator.ok("PATCH", `${ACCOUNTS}/${email}`, { serviceAccount, updateMask: "description" });
    expect(await emulator.ok("GET", `${ACCOUNTS}/${email}`)).toEqual({ ...made, description: "Publishes" });
    expect(await emulator.ok("GET", ACCOUNTS)).toMatchObject({ accounts: [{ email }] });
  });

  test("has a policy, which is read by POST", async () => {
    const bindings = [{ role: "roles/iam.workloadIdentityUser", members: [DANA] }];
    await emulator.ok("POST", `${ACCOUNTS}/${email}:setIamPolicy`, { policy: { bindings, version: 3 } });
    const path = `${ACCOUNTS}/${email}:getIamPolicy?options.requestedPolicyVersion=3`;
    expect(await emulator.ok("POST", path)).toMatchObject({ bindings });
  });

  test("has no keys", async () => {
    expect(await emulator.call("POST", `${ACCOUNTS}/${email}/keys`, {})).toMatchObject({ status: 501 });
    expect(await emulator.ok("GET", `${ACCOUNTS}/${email}/keys?keyTypes=USER_MANAGED`)).toEqual({});
  });

  test("stays in policies under its unique id after deletion", async () => {
    await bind(emulator, READER, `serviceAccount:${email}`);
    const { uniqueId } = await emulator.ok("GET", `${ACCOUNTS}/${email}`);
    expect(await emulator.ok("DELETE", `${ACCOUNTS}/${email}`)).toEqual({});
    expect(await emulator.call("GET", `${ACCOUNTS}/${email}`)).toMatchObject({ status: 404 });
    expect(await emulator.ok("GET", `${REPOSITORY}:getIamPolicy`)).toMatchObject({
      bindings: [{ members: [`deleted:serviceAccount:${email}?uid=${String(uniqueId)}`] }],
    });
  });

  test.each([
    ["short", /does not have a length between 6 and 30/],
    ["Upper-case", /must start with a lower case letter/],
  ])("cannot have the id %s", async (accountId, message) => {
    expect(await emulator.call("POST", ACCOUNTS, { accountId })).toMatchObject(refusal(400, message));
  });
});
