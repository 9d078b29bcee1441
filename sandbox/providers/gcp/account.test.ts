import { afterEach, describe, expect, it } from "vitest";
import { account } from "./account.ts";
import { type Answer, FakeGoogle, failure, type Seen } from "../testing/fake-google.ts";
import { quietContext, resourceOn } from "../testing/support.ts";

const email = "ci-bot@p.iam.gserviceaccount.com";
const name = `projects/p/serviceAccounts/${email}`;
const live = { name, email, uniqueId: "1", displayName: "CI", etag: "E" };
const inputs = { accountId: "ci-bot", displayName: "CI" };

let fake: FakeGoogle;
afterEach(() => fake.stop());

async function create(answer: (request: Seen, before: Seen[]) => Answer | undefined, more: object = {}) {
  fake = await FakeGoogle.start(answer);
  return resourceOn(account, fake).create({ ...inputs, ...more }, quietContext());
}

describe("Account", () => {
  it("is read three times after it was created", async () => {
    await create(() => ({ body: live }));
    expect(fake.requests).toEqual([
      "POST /v1/projects/p/serviceAccounts",
      `GET /v1/${name}`,
      `GET /v1/${name}`,
      `GET /v1/${name}`,
    ]);
    expect(fake.seen[0]?.body).toEqual({
      accountId: "ci-bot",
      serviceAccount: { displayName: "CI", description: "" },
    });
  });

  it("waits for three good reads in a row", async () => {
    const bad = new Set([1, 3]);
    await create(({ method }, before) => {
      if (method === "POST") return { body: live };
      return bad.has(before.length) ? failure(404, "not yet") : { body: live };
    });
    expect(fake.seen).toHaveLength(7);
  });

  it("is created without the permission to read it", async () => {
    const { outputs } = await create(({ method }) =>
      method === "POST" ? { body: live } : failure(403, "Permission denied"),
    );
    expect(outputs).toMatchObject({ email, uniqueId: "1" });
  });

  it("refuses an existing account, unless createIgnoreAlreadyExists is set", async () => {
    const exists = ({ method }: Seen): Answer =>
      method === "POST" ? failure(409, "exists") : { body: live };
    await expect(create(exists)).rejects.toThrow(
      "Error creating service account: googleapi: Error 409: exists",
    );
    await fake.stop();
    const adopting = { ...inputs, createIgnoreAlreadyExists: true };
    const { id, outputs } = await create(exists, adopting);
    expect(id).toBe(name);
    expect(outputs).toMatchObject({ createIgnoreAlreadyExists: true, uniqueId: "1" });
    expect(resourceOn(account, fake).diff({ id, inputs: adopting, outputs }, adopting)).toEqual([]);
  });

  it("updates by etag and mask", async () => {
    const { id, outputs } = await create(() => ({ body: live }));
    const resource = resourceOn(account, fake);
    await resource.update({ id, inputs, outputs }, { ...inputs, description: "new" }, quietContext());
    expect(fake.seen.find(({ method }) => method === "PATCH")?.body).toEqual({
      serviceAccount: { displayName: "CI", description: "new", etag: "E" },
      updateMask: "description",
    });
  });

  it("has a known email address at preview", async () => {
    fake = await FakeGoogle.start(() => undefined);
    expect(resourceOn(account, fake).preview(inputs, undefined, quietContext())).toMatchObject({
      email,
      member: `serviceAccount:${email}`,
    });
  });
});
