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
    ["is made where there is none", undefined, false, "create"],
    ["is taken up again with this stack's mark", { description: OURS }, false, "import"],
    ["is taken over without a mark where that is told", { description: "By hand" }, true, "import"],
  ])("%s", async (_, body, adoptExisting, fate) => {
    expect(await check(body, { adoptExisting })).toEqual({ found: fate, problems: [], requests: 1 });
  });

  test.each<[string, string, number]>([
    ["where the last up made it", "us-central1-docker.pkg.dev/production-471918/hyperion-public", 0],
    ["where its address has no region", "localhost:5000/production-471918/hyperion-public", 0],
    ["where it was in another region", "europe-west1-docker.pkg.dev/production-471918/hyperion-public", 1],
    ["where it had another name", "us-central1-docker.pkg.dev/production-471918/hyperion", 1],
  ])("is asked for %s: %s", async (_, registryUrl, requests) => {
    expect(await check(undefined, { registryUrl })).toMatchObject({ requests });
  });

  test("stops where somebody made it by hand, with what it is and the commands", async () => {
    const body = { createTime: "2025-01-10T08:00:00Z", sizeBytes: "500000000", kmsKeyName: "projects/k" };
    expect((await check(body)).problems).toEqual([
      {
        where: NAME,
        found:
          "a repository that exists already, and that no stack is known to have made: format DOCKER, mode STANDARD_REPOSITORY; made at 2025-01-10T08:00:00Z; 500 MB; the customer-managed key projects/k",
        allowed: "what this stack (project/stack) made",
        fix: "npm run pulumi -- config set hyperion-registry:adoptExisting true   # takes it over as it is\n           or name another: npm run pulumi -- config set hyperion-registry:repositoryId NAME",
      },
    ]);
  });

  test("stops where another stack made it, whatever is told", async () => {
    const body = { description: "Images (Pulumi stack hyperion-registry/production)" };
    const { problems } = await check(body, { adoptExisting: true });
    expect(problems.map(({ fix }) => fix)).toEqual([
      "name one of this stack's own: npm run pulumi -- config set hyperion-registry:repositoryId NAME\n           or where that stack is gone: gcloud artifacts repositories update hyperion-public --project=production-471918 --location=us-central1 --description= && npm run pulumi -- config set hyperion-registry:adoptExisting true",
    ]);
  });

  test.each([
    [{ kmsKeyName: "projects/k" }, "the customer-managed key projects/k"],
    [{ format: "NPM" }, "the format NPM instead of DOCKER"],
    [{ mode: "REMOTE_REPOSITORY" }, "the mode REMOTE_REPOSITORY instead of STANDARD_REPOSITORY"],
  ])("A5: stops where only a replacement would do: %j", async (body, unlike) => {
    for (const how of [{ adoptExisting: true }, { description: OURS }]) {
      const { problems } = await check({ ...body, ...how }, how);
      expect(problems).toEqual([
        {
          where: NAME,
          found: `a repository that could only be replaced, with all that is in it: it has ${unlike}`,
          allowed: "one that can be taken over in place",
          fix: "npm run pulumi -- config set hyperion-registry:repositoryId NAME",
        },
      ]);
    }
  });
});
