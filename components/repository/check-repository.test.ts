import { describe, expect, test } from "vitest";
import { fakeGoogle } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { checkRepository } from "./check-repository.ts";

const place = { project: "production-471918", location: "us-central1", repositoryId: "hyperion-public" };
const NAME = "projects/production-471918/locations/us-central1/repositories/hyperion-public";
const OURS = "Prebuilt container images of Hyperion (Pulumi stack project/stack)";

const plain = { format: "DOCKER", mode: "STANDARD_REPOSITORY" };

async function check(body: object | undefined, { adoptExisting = false, registryUrl = "" } = {}) {
  const answer = body === undefined ? { status: 404 } : { status: 200, body: { ...plain, ...body } };
  const requests = await fakeGoogle({ [`GET /${NAME}`]: answer });
  const { result } = await declare(() => checkRepository(place, { registryUrl }, adoptExisting));
  return { ...result, requests: requests.length };
}

describe("the repository", () => {
  test.each<[string, object | undefined, boolean, string]>([
    ["is created if it does not exist", undefined, false, "create"],
    ["is imported if it has this stack's mark", { description: OURS }, false, "import"],
    ["is imported without a mark if adoptExisting is set", { description: "By hand" }, true, "import"],
  ])("%s", async (_, body, adoptExisting, action) => {
    expect(await check(body, { adoptExisting })).toEqual({ found: action, problems: [], requests: 1 });
  });

  test.each<[string, string, number]>([
    ["in the last outputs", "us-central1-docker.pkg.dev/production-471918/hyperion-public", 0],
    [
      "in the last outputs, with a URL without a region",
      "localhost:5000/production-471918/hyperion-public",
      0,
    ],
    [
      "in the last outputs in another region",
      "europe-west1-docker.pkg.dev/production-471918/hyperion-public",
      1,
    ],
    ["in the last outputs under another name", "us-central1-docker.pkg.dev/production-471918/hyperion", 1],
  ])("%s is looked up: %s, %d times", async (_, registryUrl, requests) => {
    expect(await check(undefined, { registryUrl })).toMatchObject({ requests });
  });

  test("is reported if it was created by hand, with its properties and the commands", async () => {
    const body = { createTime: "2025-01-10T08:00:00Z", sizeBytes: "500000000", kmsKeyName: "projects/k" };
    expect((await check(body)).problems).toEqual([
      {
        where: NAME,
        found:
          "a repository that already exists and belongs to no stack: format DOCKER, mode STANDARD_REPOSITORY; created at 2025-01-10T08:00:00Z; 500 MB; the customer-managed key projects/k",
        allowed: "a resource of this stack (project/stack)",
        fix: "npm run pulumi -- config set hyperion-registry:adoptExisting true   # imports it as it is\n           or use another name: npm run pulumi -- config set hyperion-registry:repositoryId NAME",
      },
    ]);
  });

  test("is reported if another stack owns it, even with adoptExisting", async () => {
    const body = { description: "Images (Pulumi stack hyperion-registry/production)" };
    const { problems } = await check(body, { adoptExisting: true });
    expect(problems.map(({ fix }) => fix)).toEqual([
      "use another name: npm run pulumi -- config set hyperion-registry:repositoryId NAME\n           or if that stack no longer exists: gcloud artifacts repositories update hyperion-public --project=production-471918 --location=us-central1 --description= && npm run pulumi -- config set hyperion-registry:adoptExisting true",
    ]);
  });

  test.each([
    [{ kmsKeyName: "projects/k" }, "the customer-managed key projects/k"],
    [{ format: "NPM" }, "the format NPM instead of DOCKER"],
    [{ mode: "REMOTE_REPOSITORY" }, "the mode REMOTE_REPOSITORY instead of STANDARD_REPOSITORY"],
  ])("A5: is reported if only a replacement could change it: %j", async (body, difference) => {
    for (const how of [{ adoptExisting: true }, { description: OURS }]) {
      const { problems } = await check({ ...body, ...how }, how);
      expect(problems).toEqual([
        {
          where: NAME,
          found: `a repository that can only be replaced, with all its content: it has ${difference}`,
          allowed: "one that can be imported in place",
          fix: "npm run pulumi -- config set hyperion-registry:repositoryId NAME",
        },
      ]);
    }
  });
});
