import { beforeEach, describe, expect, it } from "vitest";
import { refusal, type TestEmulator, testEmulator } from "../../testing/emulator.ts";

const PROJECT = "production-471918";
const DANA = "user:dana@example.com";

let emulator: TestEmulator;

beforeEach(async () => {
  emulator = await testEmulator("storage");
  await emulator.ok("POST", `storage/v1/b?project=${PROJECT}`, { name: "state", location: "us-central1" });
});

describe("a bucket", () => {
  it("is created with the requested settings and the project's number", async () => {
    const iamConfiguration = {
      publicAccessPrevention: "enforced",
      uniformBucketLevelAccess: { enabled: true },
    };
    const body = { name: "other", location: "us-central1", iamConfiguration };
    const made = await emulator.ok("POST", `storage/v1/b?project=${PROJECT}`, body);
    expect(made).toMatchObject({ ...body, projectNumber: "123456789012", location: "US-CENTRAL1" });
  });

  it("turns on versioning and changes nothing else", async () => {
    const before = await emulator.ok("GET", "storage/v1/b/state");
    await emulator.ok("PATCH", "storage/v1/b/state", { name: "state", versioning: { enabled: true } });
    const after = await emulator.ok("GET", "storage/v1/b/state");
    expect(after).toEqual({ ...before, etag: after["etag"], versioning: { enabled: true } });
  });

  it("has a globally unique name", async () => {
    const again = await emulator.call("POST", `storage/v1/b?project=hyperion-sandbox`, { name: "state" });
    expect(again).toMatchObject({ status: 409, body: { error: { errors: [{ reason: "conflict" }] } } });
  });

  it("that does not exist gets the JSON API's error", async () => {
    const message = "The specified bucket does not exist.";
    expect(await emulator.call("GET", "storage/v1/b/none")).toMatchObject(refusal(404, message));
  });

  it.each([
    ["GET", "storage/v1/b/state", undefined, "storage.buckets.get"],
    ["PATCH", "storage/v1/b/state", {}, "storage.buckets.update"],
    ["GET", "storage/v1/b/state/iam", undefined, "storage.buckets.getIamPolicy"],
    ["PUT", "storage/v1/b/state/iam", { bindings: [] }, "storage.buckets.setIamPolicy"],
    ["POST", `storage/v1/b?project=${PROJECT}`, { name: "mine" }, "storage.buckets.create"],
  ])("%s %s needs its permission", async (method, path, body, permission) => {
    expect(await emulator.call(method, path, body, DANA)).toMatchObject(
      refusal(403, new RegExp(`dana@example\\.com does not have ${permission} access to`)),
    );
  });
});

describe("its policy", () => {
  it("starts with convenience values of the project's basic roles", async () => {
    const { bindings } = await emulator.ok("GET", "storage/v1/b/state/iam");
    expect(bindings).toContainEqual({
      role: "roles/storage.legacyBucketOwner",
      members: [`projectEditor:${PROJECT}`, `projectOwner:${PROJECT}`],
    });
  });

  it("grants access, and refuses a change with a stale etag", async () => {
    const { etag } = await emulator.ok("GET", "storage/v1/b/state/iam");
    const bindings = [
      { role: "roles/storage.legacyBucketOwner", members: [`projectOwner:${PROJECT}`] },
      { role: "roles/storage.legacyBucketReader", members: [DANA] },
    ];
    const policy = { kind: "storage#policy", version: 3, etag, bindings };
    await emulator.ok("PUT", "storage/v1/b/state/iam", policy);
    await emulator.ok("GET", "storage/v1/b/state", undefined, DANA);
    expect(await emulator.call("PUT", "storage/v1/b/state/iam", policy)).toMatchObject({
      status: 412,
      body: { error: { errors: [{ reason: "conditionNotMet" }] } },
    });
  });
});
