import { describe, expect, test } from "vitest";
import { CiServiceAccount, type CiServiceAccountArgs } from "./ci-service-account.ts";
import { type Declared, declareOn, valueOf } from "../../test/support/mocks.ts";

const github = {
  repository: "HyperionWave-AI/dev-squad",
  refs: ["refs/heads/main", "refs/tags/v*"],
  poolId: "hyperion-github",
  providerId: "github",
  adoptPool: false,
  adoptProvider: false,
};

async function ci(
  args: Partial<CiServiceAccountArgs>,
): Promise<{ resources: Declared[]; result: CiServiceAccount }> {
  return declareOn((repository) => {
    return new CiServiceAccount("ci", {
      project: "production-471918",
      accountId: "hyperion-ci",
      repository,
      canPublish: false,
      ...args,
    });
  });
}

const summary = (resources: Declared[]): string[] =>
  resources.map(({ type, name }) => `${type.split(":")[2] ?? ""} ${name}`).sort();

describe("CiServiceAccount", () => {
  test("is an account that may read one repository, without project role or key", async () => {
    const { resources, result } = await ci({});
    expect(summary(resources)).toEqual(["Account ci", "RepositoryIamMember ci-reader", "Service ci"]);
    const account = resources.find(({ type }) => type.endsWith(":Account"));
    expect(account).toMatchObject({
      inputs: { project: "production-471918", accountId: "hyperion-ci", createIgnoreAlreadyExists: true },
      parent: "ci",
      dependsOn: ["ci"],
    });
    const grant = resources.find(({ name }) => name === "ci-reader");
    expect(grant?.inputs).toEqual({
      project: "production-471918",
      location: "us-central1",
      repository: "hyperion-public",
      role: "roles/artifactregistry.reader",
      member: "serviceAccount:hyperion-ci@production-471918.iam.gserviceaccount.com",
    });
    expect(await valueOf(result.email)).toBe("hyperion-ci@production-471918.iam.gserviceaccount.com");
    expect(result.previewEmail).toBeUndefined();
    expect(result.workloadIdentityProvider).toBeUndefined();
  });

  test("may push only when told", async () => {
    const { resources, result } = await ci({ canPublish: true });
    const roles = resources.map(({ inputs }) => inputs["role"]).filter((role) => role !== undefined);
    expect(roles).toEqual(["roles/artifactregistry.reader", "roles/artifactregistry.writer"]);
    expect(await Promise.all(result.writers.map(valueOf))).toEqual([
      "serviceAccount:hyperion-ci@production-471918.iam.gserviceaccount.com",
    ]);
  });

  test("federates GitHub: each account is bound to what a workflow may do, never to the repository", async () => {
    const { resources, result } = await ci({ github, canPublish: true });
    expect(summary(resources)).toEqual([
      "Account ci",
      "Account ci-preview",
      "IAMMember ci-github-preview",
      "IAMMember ci-github-publish",
      "RepositoryIamMember ci-preview-reader",
      "RepositoryIamMember ci-reader",
      "RepositoryIamMember ci-writer",
      "Service ci",
      "Service ci-credentials",
      "Service ci-sts",
      "WorkloadIdentityPool ci-github",
      "WorkloadIdentityPoolProvider ci-github",
    ]);
    const pool = "projects/123456789012/locations/global/workloadIdentityPools/hyperion-github";
    const impersonations = resources.filter(({ type }) => type.endsWith(":IAMMember"));
    expect(impersonations.map(({ inputs }) => inputs)).toEqual([
      {
        serviceAccountId:
          "projects/production-471918/serviceAccounts/hyperion-ci@production-471918.iam.gserviceaccount.com",
        role: "roles/iam.workloadIdentityUser",
        member: `principalSet://iam.googleapis.com/${pool}/attribute.access/publish`,
      },
      {
        serviceAccountId:
          "projects/production-471918/serviceAccounts/hyperion-ci-preview@production-471918.iam.gserviceaccount.com",
        role: "roles/iam.workloadIdentityUser",
        member: `principalSet://iam.googleapis.com/${pool}/attribute.access/preview`,
      },
    ]);
    expect(await valueOf(result.workloadIdentityProvider ?? result.email)).toBe(`${pool}/providers/github`);
  });

  test("imports a pool and a provider that exist already", async () => {
    const { resources } = await ci({ github: { ...github, adoptPool: true, adoptProvider: true } });
    const pool = "projects/production-471918/locations/global/workloadIdentityPools/hyperion-github";
    expect(resources.map(({ importId }) => importId).filter((id) => id !== "")).toEqual([
      pool,
      `${pool}/providers/github`,
    ]);
  });
});
