import { expect, test } from "vitest";
import { existingRepositoryUrl } from "./existing-repository.ts";
import { declare } from "../../test/support/mocks.ts";

const PLACE = { project: "production-471918", location: "us-central1", repositoryId: "hyperion-public" };

test("the address is the repository's own, and nothing is declared", async () => {
  const { resources, result } = await declare(() => existingRepositoryUrl(PLACE));
  expect(result).toBe("us-central1-docker.pkg.dev/production-471918/hyperion-public");
  expect(resources).toEqual([]);
});

test("a repository that is not there is one problem, without what the SDK puts before it", async () => {
  const elsewhere = declare(() => existingRepositoryUrl({ ...PLACE, repositoryId: "other" }));
  await expect(elsewhere).rejects.toThrow(
    "1 problem; nothing was changed.\n\n" +
      "projects/production-471918/locations/us-central1/repositories/other\n" +
      "  found:   the repository cannot be read: projects/production-471918/locations/us-central1/repositories/other not found\n" +
      "  allowed: one that the stack which manages it has made, and that you may read (roles/artifactregistry.reader)\n" +
      "  fix:     npm run pulumi -- up --stack production",
  );
});
