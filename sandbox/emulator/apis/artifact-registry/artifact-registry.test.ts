import { beforeAll, describe, expect, test } from "vitest";
import {
  bind,
  createRepository,
  enable,
  REPOSITORIES,
  REPOSITORY,
  refusal,
  testEmulator,
} from "../../testing/emulator.ts";

const emulator = await testEmulator();

test("refuses a disabled API as Google does", async () => {
  const message =
    /^Artifact Registry API has not been used in project 123456789012 before or it is disabled\. Enable it by visiting https:/;
  const error = { status: "PERMISSION_DENIED", details: [{ reason: "SERVICE_DISABLED" }, {}, {}] };
  expect(await emulator.call("GET", REPOSITORIES)).toMatchObject(refusal(403, message, error));
});

describe("a repository", () => {
  beforeAll(async () => {
    await enable(emulator, "artifactregistry");
  });

  test("is stored without an empty dockerConfig, and with whole seconds and numbers", async () => {
    await createRepository(emulator, {
      description: "Hyperion images",
      mode: "MODE_UNSPECIFIED",
      dockerConfig: { immutableTags: false },
      labels: { app: "hyperion" },
      cleanupPolicies: {
        old: { id: "old", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "1209600.0s" } },
        recent: { action: "KEEP", mostRecentVersions: { keepCount: "10" } },
      },
    });
    const answer = await emulator.ok("GET", REPOSITORY);
    expect(answer).toMatchObject({
      mode: "STANDARD_REPOSITORY",
      cleanupPolicies: {
        old: { id: "old", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "1209600s" } },
        recent: { id: "recent", action: "KEEP", mostRecentVersions: { keepCount: 10 } },
      },
      createTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
      registryUri: "localhost:5001/production-471918/hyperion-public",
    });
    expect(answer).not.toHaveProperty("dockerConfig");
  });

  test("is created only once, under either spelling of the parameter", async () => {
    const again = await emulator.call("POST", `${REPOSITORIES}?repositoryId=hyperion-public`, {
      format: "DOCKER",
    });
    expect(again).toMatchObject({ status: 409, body: { error: { status: "ALREADY_EXISTS" } } });
  });

  test("is also found by the project's number", async () => {
    const path = REPOSITORY.replace("production-471918", "123456789012");
    expect(await emulator.ok("GET", path)).toMatchObject({ format: "DOCKER" });
  });

  const immutable = { dockerConfig: { immutableTags: true } };
  const unscanned = { enablementConfig: "DISABLED" };

  test.each([
    ["snake case", "cleanup_policy_dry_run", { cleanupPolicyDryRun: true }, { cleanupPolicyDryRun: true }],
    ["a field of a field", "dockerConfig.immutableTags", { ...immutable, labels: {} }, immutable],
    ["a field left out", "dockerConfig,description", {}, { labels: { app: "hyperion" } }],
    [
      "scanning",
      "vulnerabilityScanningConfig",
      { vulnerabilityScanningConfig: unscanned },
      { vulnerabilityScanningConfig: { ...unscanned, enablementState: "SCANNING_DISABLED" } },
    ],
  ])("updates the masked field only: %s", async (_, mask, body, expected) => {
    const answer = await emulator.ok("PATCH", `${REPOSITORY}?updateMask=${mask}`, body);
    expect(answer).toMatchObject(expected);
    if (Object.keys(body).length === 0) expect(answer).not.toHaveProperty("dockerConfig");
    expect(await emulator.ok("GET", REPOSITORY)).toMatchObject(answer);
  });

  const invalid = (message: RegExp): object => refusal(400, message, { status: "INVALID_ARGUMENT" });
  const policies = (count: number, policy: object): object => ({
    cleanupPolicies: Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, policy])),
  });

  test.each([
    ["an unknown field in the mask", "foo", {}, /Invalid update_mask: "foo"/],
    ["a field that cannot change", "format", {}, /"format"/],
    ["an unknown field", "labels", { tags: 1 }, /Unknown name "tags": Cannot find field\./],
    ["an unknown nested field", "labels", { dockerConfig: { x: 1 } }, /"x" at 'dockerConfig': Cannot find/],
    ["a wrong type", "labels", { description: 5 }, /Invalid value at 'description' \(TYPE_STRING\), 5/],
    ["a bad duration", "labels", policies(1, { condition: { olderThan: "14d" } }), /Duration\), "14d"/],
    ["eleven policies", "cleanupPolicies", policies(11, { action: "DELETE" }), /at most 10/],
    ["a policy without an action", "cleanupPolicies", policies(1, { condition: {} }), /action is required/],
    ["a bad label", "labels", { labels: { App: "x" } }, /Invalid label key: "App"/],
  ])("answers 400 to an update with %s", async (_, mask, body, message) => {
    const answer = await emulator.call("PATCH", `${REPOSITORY}?updateMask=${mask}`, body);
    expect(answer).toMatchObject(invalid(message));
  });

  test.each([
    ["a bad id", "Bad_Id", { format: "DOCKER" }, /Invalid repository id "Bad_Id"/],
    ["no format", "other", {}, /format must be specified/],
    ["no JSON", "other", "{", /The body must be an object/],
  ])("answers 400 to a creation with %s", async (_, id, body, message) => {
    const answer = await emulator.call("POST", `${REPOSITORIES}?repositoryId=${id}`, body);
    expect(answer).toMatchObject(invalid(message));
  });

  test("is listed with pagination", async () => {
    await emulator.ok("POST", `${REPOSITORIES}?repositoryId=another`, { format: "DOCKER" });
    const first = await emulator.ok("GET", `${REPOSITORIES}?pageSize=1`);
    expect(first["repositories"]).toHaveLength(1);
    const token = String(first["nextPageToken"]);
    const second = await emulator.ok("GET", `${REPOSITORIES}?pageSize=1&pageToken=${token}`);
    expect(second).toMatchObject({ repositories: [{ format: "DOCKER" }] });
    expect(second).not.toHaveProperty("nextPageToken");
    expect(second["repositories"]).not.toEqual(first["repositories"]);
  });

  test("is deleted with its policy", async () => {
    await bind(emulator, "roles/artifactregistry.reader", "allUsers");
    await emulator.ok("DELETE", REPOSITORY);
    expect(emulator.context.store.state.policies).not.toHaveProperty([REPOSITORY.slice(3)]);
  });
});

test.each([
  ["GET", "v1/projects/production-471918/locations/us-central1/npmPackages"],
  ["POST", `${REPOSITORY}:frobnicate`],
])("answers 501 to %s %s", async (method, path) => {
  expect(await emulator.call(method, path)).toMatchObject({
    status: 501,
    body: { error: { status: "UNIMPLEMENTED" } },
  });
});

test("a restart keeps the state", async () => {
  await createRepository(emulator);
  const before = await emulator.ok("GET", REPOSITORY);
  emulator.restart();
  expect(await emulator.ok("GET", REPOSITORY)).toEqual(before);
});
