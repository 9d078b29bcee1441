import { beforeAll, describe, expect, test } from "vitest";
import {
  createRepository,
  enable,
  REPOSITORIES,
  REPOSITORY,
  finished,
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

  test("is created by an operation in the measured shape", async () => {
    const operation = await createRepository(emulator, {
      description: "Hyperion images",
      mode: "MODE_UNSPECIFIED",
      dockerConfig: { immutableTags: false },
      labels: { app: "hyperion" },
      cleanupPolicies: {
        old: { id: "old", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "1209600.0s" } },
        recent: { id: "recent", action: "KEEP", mostRecentVersions: { keepCount: "10" } },
      },
    });
    expect(await finished(emulator, operation)).toMatchObject({
      name: expect.stringMatching(
        /^projects\/production-471918\/locations\/us-central1\/operations\/[\da-f-]+$/,
      ) as string,
      metadata: { "@type": "type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata" },
      response: { "@type": "type.googleapis.com/google.devtools.artifactregistry.v1.Repository" },
    });
    const answer = await emulator.ok("GET", REPOSITORY);
    expect(answer).toEqual({
      name: "projects/production-471918/locations/us-central1/repositories/hyperion-public",
      format: "DOCKER",
      mode: "STANDARD_REPOSITORY",
      description: "Hyperion images",
      labels: { app: "hyperion" },
      cleanupPolicies: {
        old: { id: "old", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "1209600s" } },
        recent: { id: "recent", action: "KEEP", mostRecentVersions: { keepCount: 10 } },
      },
      createTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
      updateTime: expect.any(String) as string,
      registryUri: "localhost:5001/production-471918/hyperion-public",
      satisfiesPzi: true,
      vulnerabilityScanningConfig: {
        enablementState: "SCANNING_DISABLED",
        enablementStateReason: "API containerscanning.googleapis.com is not enabled.",
        lastEnableTime: expect.any(String) as string,
      },
    });
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

  test.each([
    [
      "description",
      "description",
      { description: "new", labels: {} },
      { description: "new", labels: { app: "hyperion" } },
    ],
    ["snake case", "cleanup_policy_dry_run", { cleanupPolicyDryRun: true }, { cleanupPolicyDryRun: true }],
    [
      "a field of a field",
      "dockerConfig.immutableTags",
      { dockerConfig: { immutableTags: true } },
      { dockerConfig: { immutableTags: true } },
    ],
    ["a field left out", "dockerConfig,description", {}, {}],
    [
      "scanning",
      "vulnerabilityScanningConfig",
      { vulnerabilityScanningConfig: { enablementConfig: "DISABLED" } },
      { vulnerabilityScanningConfig: { enablementConfig: "DISABLED", enablementState: "SCANNING_DISABLED" } },
    ],
  ])("updates the masked field only: %s", async (_, mask, body, expected) => {
    const answer = await emulator.ok("PATCH", `${REPOSITORY}?updateMask=${mask}`, body);
    expect(answer).toMatchObject(expected);
    if (Object.keys(expected).length === 0) expect(Object.keys(answer)).not.toContain("dockerConfig");
    expect(await emulator.ok("GET", REPOSITORY)).toMatchObject(answer);
  });

  const invalid = (message: RegExp): object => refusal(400, message, { status: "INVALID_ARGUMENT" });
  const policies = (ids: string[], rest: object): object => ({
    cleanupPolicies: Object.fromEntries(ids.map((id) => [id, rest])),
  });

  test.each([
    ["an unknown field in the mask", "foo", {}, /Invalid update_mask: "foo"/],
    ["a field that cannot change", "format", {}, /"format"/],
    ["an unknown field", "labels", { tags: 1 }, /Unknown name "tags": Cannot find field\./],
    [
      "an unknown nested field",
      "labels",
      { dockerConfig: { x: 1 } },
      /Unknown name "x" at 'dockerConfig': Cannot find field\./,
    ],
    ["a wrong type", "labels", { description: 5 }, /Invalid value at 'description' \(TYPE_STRING\), 5/],
    [
      "a bad duration",
      "labels",
      policies(["a"], { condition: { olderThan: "14d" } }),
      /google\.protobuf\.Duration\), "14d"/,
    ],
    [
      "eleven policies",
      "cleanupPolicies",
      policies("abcdefghijk".split(""), { action: "DELETE", condition: {} }),
      /at most 10 cleanup policies/,
    ],
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

  test("returns only the requested fields", async () => {
    expect(
      await emulator.ok("GET", `${REPOSITORIES}?fields=repositories(format,labels/app)&pageSize=2`),
    ).toEqual({
      repositories: [{ format: "DOCKER" }, { format: "DOCKER", labels: { app: "hyperion" } }],
    });
  });

  test("is deleted with its policy", async () => {
    expect(await finished(emulator, await emulator.ok("DELETE", REPOSITORY))).toMatchObject({
      response: { "@type": "type.googleapis.com/google.protobuf.Empty" },
    });
    expect(await emulator.call("GET", REPOSITORY)).toEqual({
      status: 404,
      body: { error: { code: 404, message: "Requested entity was not found.", status: "NOT_FOUND" } },
    });
    expect(emulator.context.store.state.policies).not.toHaveProperty([REPOSITORY.slice(3)]);
  });
});

test("answers 501 for unknown routes", async () => {
  expect(
    await emulator.call("GET", "v1/projects/production-471918/locations/us-central1/npmPackages"),
  ).toMatchObject({
    status: 501,
    body: { error: { status: "UNIMPLEMENTED" } },
  });
  expect(await emulator.call("POST", `${REPOSITORY}:frobnicate`)).toMatchObject({ status: 501 });
});

test("a restart keeps the state", async () => {
  await createRepository(emulator);
  const before = await emulator.ok("GET", REPOSITORY);
  emulator.restart();
  expect(await emulator.ok("GET", REPOSITORY)).toEqual(before);
});
