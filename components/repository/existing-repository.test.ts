import { expect, test } from "vitest";
import { existingRepositoryUrl } from "./existing-repository.ts";
import { declare } from "../../test/support/mocks.ts";

const PLACE = { project: "production-471918", location: "us-central1", repositoryId: "hyperion-public" };

test("reads the URL from the repository, and declares no resource", async () => {
  const { resources, result } = await declare(() => existingRepositoryUrl(PLACE));
  expect(result).toBe("us-central1-docker.pkg.dev/production-471918/hyperion-public");
  expect(resources).toEqual([]);
});

test("reports a missing repository without the prefixes of SDK and plugin", async () => {
  const elsewhere = declare(() => existingRepositoryUrl({ ...PLACE, repositoryId: "other" }));
  await expect(elsewhere).rejects.toThrow(
    "1 problem; nothing was changed.\n\n" +
      "projects/production-471918/locations/us-central1/repositories/other\n" +
      "  found:   the repository cannot be read: projects/production-471918/locations/us-central1/repositories/other not found\n" +
      "  allowed: a repository that its stack has created and that you have permission to read (roles/artifactregistry.reader)\n" +
      "  fix:     npm run pulumi -- up --stack production",
  );
});
