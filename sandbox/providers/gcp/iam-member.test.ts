import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { normalMember } from "./iam-policy.ts";
import { repositoryIamMember, serviceAccountIamMember } from "./iam-member.ts";
import type { Properties } from "../rpc/values.ts";
import { type Answer, FakeGoogle, failure, type Seen } from "../testing/fake-google.ts";
import { quietContext, resourceOn } from "../testing/support.ts";

interface Binding {
  role: string;
  members: string[];
  condition?: object;
}

const name = "projects/p/locations/us-central1/repositories/r";
const inputs: Properties = {
  repository: "r",
  location: "us-central1",
  role: "roles/artifactregistry.reader",
  member: "user:Dana@Example.com",
};
const id = `${name}/roles/artifactregistry.reader/user:dana@example.com`;

let fake: FakeGoogle;
let policy: { bindings?: Binding[]; etag: string; auditConfigs?: object[] };
/** Called before each write. */
let before: (request: Seen) => Answer | undefined;

beforeEach(async () => {
  policy = { etag: "1" };
  before = () => undefined;
  fake = await FakeGoogle.start((request) => {
    if (!request.url.includes(":setIamPolicy")) return { body: policy };
    const interfered = before(request);
    if (interfered) return interfered;
    const sent = (request.body as { policy: typeof policy }).policy;
    if (sent.etag !== policy.etag) return failure(409, "concurrent policy changes");
    policy = { ...sent, etag: String(Number(policy.etag) + 1) };
    return { body: policy };
  });
});
afterEach(() => fake.stop());

const on = () => resourceOn(repositoryIamMember, fake);

describe("RepositoryIamMember", () => {
  it("adds one member with the requests of the real plugin", async () => {
    const { id: got, outputs } = await on().create(inputs, quietContext());
    expect(got).toBe(id);
    expect(outputs).toMatchObject({ repository: name, project: "p", etag: "2", condition: null });
    expect(fake.requests).toEqual([
      `GET /v1/${name}:getIamPolicy`,
      `POST /v1/${name}:setIamPolicy`,
      `GET /v1/${name}:getIamPolicy`,
    ]);
    expect(fake.seen[1]?.body).toEqual({
      policy: {
        bindings: [{ role: "roles/artifactregistry.reader", members: ["user:dana@example.com"] }],
        etag: "1",
        version: 3,
      },
    });
  });

  it("changes no other binding, condition or audit setting", async () => {
    const others: Binding[] = [
      { role: "roles/artifactregistry.reader", members: ["allUsers"], condition: { expression: "false" } },
      { role: "roles/artifactregistry.reader", members: ["user:x@example.com"] },
      { role: "roles/owner", members: ["user:y@example.com"] },
    ];
    policy = { etag: "1", bindings: structuredClone(others), auditConfigs: [{ service: "allServices" }] };
    const made = await on().create(inputs, quietContext());
    expect(policy.bindings).toContainEqual({
      role: "roles/artifactregistry.reader",
      members: ["user:x@example.com", "user:dana@example.com"],
    });
    expect(policy.auditConfigs).toEqual([{ service: "allServices" }]);
    await on().delete({ id: made.id, inputs, outputs: made.outputs }, quietContext());
    expect(policy.bindings).toEqual(others);
  });

  it("writes nothing if the binding exists", async () => {
    policy.bindings = [{ role: "roles/artifactregistry.reader", members: ["user:dana@example.com"] }];
    await on().create(inputs, quietContext());
    expect(fake.requests.filter((request) => request.startsWith("POST"))).toEqual([]);
  });

  it("reads again after a conflict and keeps the other binding", async () => {
    let interfered = 0;
    before = () => {
      if (++interfered > 2) return undefined;
      const bindings = [{ role: "roles/owner", members: [`user:${interfered}@example.com`] }];
      policy = { etag: String(Number(policy.etag) + 1), bindings };
      return undefined;
    };
    await on().create(inputs, quietContext());
    expect(policy.bindings).toEqual([
      { role: "roles/owner", members: ["user:2@example.com"] },
      { role: "roles/artifactregistry.reader", members: ["user:dana@example.com"] },
    ]);
  });

  it("fails if conflicts do not end", async () => {
    before = () => failure(409, "concurrent policy changes");
    await expect(on().create(inputs, quietContext())).rejects.toThrow(
      "googleapi: Error 409: concurrent policy changes",
    );
  });

  it("serializes writes in one process", async () => {
    const resource = on();
    const members = Array.from({ length: 8 }, (_, index) => `user:${index}@example.com`);
    await Promise.all(members.map((member) => resource.create({ ...inputs, member }, quietContext())));
    expect(policy.bindings?.[0]?.members).toHaveLength(8);
    // No conflict: eight reads, eight writes, eight looks at the result.
    expect(fake.seen).toHaveLength(24);
  });

  it("waits until the binding appears", async () => {
    const shown = policy;
    let reads = 0;
    await fake.stop();
    fake = await FakeGoogle.start((request) => {
      if (request.method === "POST") {
        policy = { ...(request.body as { policy: typeof policy }).policy, etag: "2" };
        return { body: policy };
      }
      return { body: ++reads < 4 ? shown : policy };
    });
    await on().create(inputs, quietContext());
    expect(reads).toBe(4);
  });

  it("does not exist without its binding", async () => {
    const made = await on().create(inputs, quietContext());
    policy = { etag: "9", bindings: [] };
    expect(await on().read(made.id, { inputs, outputs: made.outputs }, quietContext())).toBeUndefined();
    await on().delete({ id: made.id, inputs, outputs: made.outputs }, quietContext());
    expect(fake.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  });

  it("refuses an import", async () => {
    await expect(on().read(id, undefined, quietContext())).rejects.toThrow(
      "does not import a gcp:artifactregistry",
    );
  });

  it("treats a repository's short name as the full one", async () => {
    const { outputs } = await on().create(inputs, quietContext());
    expect(outputs["repository"]).toBe(name);
    expect(on().diff({ id, inputs: {}, outputs }, inputs)).toEqual([]);
  });

  it.each(["role", "member", "repository", "location"])("is replaced when its %s changes", async (path) => {
    const { outputs } = await on().create(inputs, quietContext());
    const differences = on().diff({ id, inputs, outputs }, { ...inputs, [path]: "other" });
    expect(differences).toEqual([expect.objectContaining({ path, replaces: true })]);
  });
});

describe("IAMMember of a service account", () => {
  it("uses the requests of the real plugin", async () => {
    const serviceAccountId = "projects/p/serviceAccounts/ci@p.iam.gserviceaccount.com";
    const member = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/x/*";
    const role = "roles/iam.workloadIdentityUser";
    const wanted = { serviceAccountId, role, member };
    const made = await resourceOn(serviceAccountIamMember, fake).create(wanted, quietContext());
    expect(made.id).toBe(`${serviceAccountId}/${role}/${member}`);
    const read = `POST /v1/${serviceAccountId}:getIamPolicy?options.requestedPolicyVersion=3`;
    expect(fake.requests).toEqual([read, `POST /v1/${serviceAccountId}:setIamPolicy`, read]);
  });
});

describe("normalMember", () => {
  it.each([
    ["user:Dana@Example.COM", "user:dana@example.com"],
    ["allUsers", "allUsers"],
    ["principalSet://iam.googleapis.com/a/B", "principalSet://iam.googleapis.com/a/B"],
  ])("%s is %s", (member, normal) => {
    expect(normalMember(member)).toBe(normal);
  });
});
