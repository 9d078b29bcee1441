import { describe, expect, test } from "vitest";
import { ImageRepository, type ImageRepositoryArgs } from "./image-repository.ts";
import { declare, PLAIN, valueOf } from "../../test/support/mocks.ts";

const args: ImageRepositoryArgs = {
  project: "production-471918",
  location: "us-central1",
  repositoryId: "hyperion-public",
  description: "Images",
  labels: { app: "hyperion" },
  expiry: {
    untaggedAfterDays: 14,
    buildsAfterDays: 77,
    keepCount: 10,
    versionsPerBuild: 3,
    keptTagPrefixes: ["v", "latest"],
  },
  cleanupDryRun: false,
  vulnerabilityScanning: "inherited",
  adoptExisting: false,
  protect: true,
};

describe("ImageRepository", () => {
  test("declares the API and the repository, and nothing else", async () => {
    const { resources, result } = await declare(() => new ImageRepository("registry", args));
    expect(resources).toEqual([
      { ...PLAIN, type: "hyperion:registry:ImageRepository", name: "registry", inputs: {}, parent: "" },
      {
        ...PLAIN,
        type: "gcp:projects/service:Service",
        name: "registry",
        inputs: {
          project: "production-471918",
          service: "artifactregistry.googleapis.com",
          disableOnDestroy: false,
        },
        parent: "registry",
      },
      {
        ...PLAIN,
        type: "gcp:artifactregistry/repository:Repository",
        name: "registry",
        inputs: {
          project: "production-471918",
          location: "us-central1",
          repositoryId: "hyperion-public",
          format: "DOCKER",
          description: "Images (Pulumi stack project/stack)",
          labels: { app: "hyperion" },
          cleanupPolicyDryRun: false,
          cleanupPolicies: [
            {
              id: "delete-untagged",
              action: "DELETE",
              condition: { tagState: "UNTAGGED", olderThan: "1209600s" },
            },
            {
              id: "delete-builds",
              action: "DELETE",
              condition: { tagState: "TAGGED", olderThan: "6652800s" },
            },
            {
              id: "keep-releases",
              action: "KEEP",
              condition: { tagState: "TAGGED", tagPrefixes: ["v", "latest"] },
            },
            { id: "keep-recent", action: "KEEP", mostRecentVersions: { keepCount: 30 } },
          ],
          vulnerabilityScanningConfig: { enablementConfig: "INHERITED" },
        },
        parent: "registry",
        protect: true,
        dependsOn: ["registry"],
      },
    ]);
    expect(await valueOf(result.url)).toBe("us-central1-docker.pkg.dev/production-471918/hyperion-public");
  });

  test.each([
    ["dry run", { cleanupDryRun: true }, "cleanupPolicyDryRun", true],
    [
      "no scanning",
      { vulnerabilityScanning: "disabled" },
      "vulnerabilityScanningConfig.enablementConfig",
      "DISABLED",
    ],
  ] as const)("%s", async (_, change, path, expected) => {
    const { resources } = await declare(() => new ImageRepository("registry", { ...args, ...change }));
    expect(resources[2]?.inputs).toHaveProperty(path, expected);
  });

  test("adopts what exists by its full name", async () => {
    const { resources } = await declare(
      () => new ImageRepository("registry", { ...args, adoptExisting: true }),
    );
    expect(resources.map((resource) => resource.importId)).toEqual([
      "",
      "",
      "projects/production-471918/locations/us-central1/repositories/hyperion-public",
    ]);
  });
});
