import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRepository, repository } from "./repository.ts";
import { sameDuration } from "./repository-shape.ts";
import { plainProperties, type Properties, unknownValue } from "../rpc/values.ts";
import { type Answer, FakeGoogle, failure, type Seen } from "../testing/fake-google.ts";
import { clientOf, quietContext, resourceOn } from "../testing/support.ts";

const name = "projects/p/locations/us-central1/repositories/r";
const live = {
  name,
  format: "DOCKER",
  mode: "STANDARD_REPOSITORY",
  description: "d",
  labels: { app: "x", "goog-pulumi-provisioned": "true" },
  registryUri: "localhost:5001/p/r",
  cleanupPolicies: {
    old: { id: "old", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "1209600s" } },
  },
};
/** The program's list of policies. */
const policy = (olderThan: string) => [
  { id: "old", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan } },
];
const inputs: Properties = {
  repositoryId: "r",
  format: "DOCKER",
  mode: "STANDARD_REPOSITORY",
  description: "d",
  labels: { app: "x" },
  cleanupPolicies: policy("1209600s"),
};

let fake: FakeGoogle;
let answer: (request: Seen) => Answer | undefined;

beforeEach(async () => {
  answer = (request) => (request.method === "GET" ? { body: live } : { body: { done: true } });
  fake = await FakeGoogle.start((request) => answer(request));
});
afterEach(() => fake.stop());

const on = () => resourceOn(repository, fake);

async function created() {
  const { id, outputs } = await on().create(inputs, quietContext());
  return { id, inputs, outputs: plainProperties(outputs) };
}

describe("Repository", () => {
  it("is created with the requests of the real plugin", async () => {
    await created();
    expect(fake.requests).toEqual([
      "POST /v1/projects/p/locations/us-central1/repositories?repository_id=r",
      `GET /v1/${name}`,
    ]);
    expect(fake.seen[0]?.body).toEqual({
      format: "DOCKER",
      mode: "STANDARD_REPOSITORY",
      description: "d",
      labels: { app: "x", "goog-pulumi-provisioned": "true" },
      cleanupPolicies: {
        old: { action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "1209600s" } },
      },
    });
  });

  it("waits for the operation", async () => {
    const operation = "projects/p/locations/us-central1/operations/1";
    let polls = 0;
    answer = ({ method, url }) => {
      if (method === "POST") return { body: { name: operation } };
      return { body: url.includes(operation) ? { name: operation, done: ++polls === 3 } : live };
    };
    await created();
    expect(polls).toBe(3);
  });

  it("reports the operation's error", async () => {
    answer = () => ({ body: { done: true, error: { code: 13, message: "broken" } } });
    await expect(created()).rejects.toThrow(
      "Error creating Repository: Error waiting for Creating Repository: Error code 13, message: broken",
    );
  });

  it("reports a refusal as the real plugin does", async () => {
    answer = () => failure(403, "Permission denied", "PERMISSION_DENIED");
    await expect(created()).rejects.toThrow(
      "1 error occurred:\n\t* Error creating Repository: googleapi: Error 403: Permission denied\n\n",
    );
  });

  it("is recorded even if the following read fails", async () => {
    answer = ({ method }) => (method === "POST" ? { body: { done: true } } : failure(403, "no"));
    const error = await created().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ id: name });
  });

  it.each<[string, Properties, string, boolean]>([
    ["a description", { description: "other" }, "description", false],
    ["a label", { labels: { app: "y" } }, "labels.app", false],
    ["a dockerConfig", { dockerConfig: { immutableTags: true } }, "dockerConfig", false],
    ["a policy's age", { cleanupPolicies: policy("1s") }, "cleanupPolicies[0].condition.olderThan", false],
    ["the id", { repositoryId: "other" }, "repositoryId", true],
    ["the location", { location: "europe-west1" }, "location", true],
    ["the project", { project: "other" }, "project", true],
    ["the format", { format: "NPM" }, "format", true],
    ["a key", { kmsKeyName: "k" }, "kmsKeyName", true],
    ["something unknown", { description: unknownValue }, "description", false],
  ])("detects a change of %s", async (_, change, path, replaces) => {
    expect(on().diff(await created(), { ...inputs, ...change })).toContainEqual(
      expect.objectContaining({ path, replaces }),
    );
  });

  it("ignores the unit of a duration", async () => {
    expect(on().diff(await created(), { ...inputs, cleanupPolicies: policy("14d") })).toEqual([]);
    expect(sameDuration("336h", "1209601s")).toBe(false);
    expect(sameDuration("two weeks", "two weeks ")).toBe(false);
  });

  it("has only changed fields in the mask, and keeps labels of others", async () => {
    const old = await created();
    old.outputs["effectiveLabels"] = { app: "x", "goog-pulumi-provisioned": "true", theirs: "1" };
    await on().update(old, { ...inputs, description: "new", labels: { team: "core" } }, quietContext());
    const patch = fake.seen.find(({ method }) => method === "PATCH");
    expect(new URL(patch?.url ?? "", fake.origin).searchParams.get("updateMask")).toBe("description,labels");
    expect(patch?.body).toMatchObject({
      description: "new",
      labels: { team: "core", "goog-pulumi-provisioned": "true", theirs: "1" },
    });
    expect(patch?.body).not.toHaveProperty("labels.app");
  });

  it("does not exist if the API answers 404", async () => {
    const old = await created();
    answer = () => undefined;
    expect(await on().read(old.id, old, quietContext())).toBeUndefined();
    await expect(on().delete(old, quietContext())).resolves.toBeUndefined();
  });

  it("refuses to import a malformed id", async () => {
    await expect(on().read("projects/p/repositories/r/x", undefined, quietContext())).rejects.toThrow(
      "projects/PROJECT/locations/LOCATION/repositories/REPOSITORY",
    );
  });

  it("previews known outputs", () => {
    expect(on().preview(inputs, undefined, quietContext())).toMatchObject({
      project: "p",
      location: "us-central1",
      registryUri: unknownValue,
      description: "d",
    });
  });
});

describe("getRepository", () => {
  const call = () =>
    readRepository({ location: "us-central1", repositoryId: "r" }, clientOf(fake), quietContext().signal);

  it("reads an existing one; blocks are lists", async () => {
    expect(await call()).toMatchObject({
      id: name,
      project: "p",
      registryUri: "localhost:5001/p/r",
      labels: live.labels,
      cleanupPolicies: [
        { id: "old", action: "DELETE", conditions: [{ tagState: "UNTAGGED" }], mostRecentVersions: [] },
      ],
      dockerConfigs: [],
    });
    expect(fake.requests).toEqual([`GET /v1/${name}`]);
  });

  it("fails for a missing one, and without the permission to read", async () => {
    answer = () => failure(404, "no such thing");
    await expect(call()).rejects.toThrow(`${name} not found`);
    answer = () => failure(403, "not yours");
    await expect(call()).rejects.toThrow(
      `Error when reading or editing Repository "${name}": googleapi: Error 403: not yours`,
    );
  });
});
