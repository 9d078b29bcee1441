import { Service } from "@pulumi/gcp/projects/service.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { expect, test } from "vitest";
import { declare, type Declared, valueOf } from "../../test/support/mocks.ts";
import { WorkloadIdentity, type WorkloadIdentityArgs } from "./workload-identity.ts";

const rules = {
  displayName: "Another CI",
  issuer: "https://ci.example.com",
  attributeMapping: { "google.subject": "assertion.sub", "attribute.access": "'publish'" },
  attributeCondition: "assertion.project == 'hyperion'",
};

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/hyperion-ci";

async function federate(args: Partial<WorkloadIdentityArgs> = {}) {
  const { resources, result } = await declare(() => {
    const project = "production-471918";
    const api = new Service("iam", { service: "iam.googleapis.com" });
    const publish = new Account("publisher", { project, accountId: "hyperion-ci" });
    return new WorkloadIdentity("ci-other", {
      project,
      poolId: "hyperion-ci",
      providerId: "other",
      api,
      accounts: { publish },
      adoptPool: false,
      adoptProvider: false,
      ...rules,
      ...args,
    });
  });
  const own = (name: string, type: string): Declared | undefined =>
    resources.find((resource) => resource.name === name && resource.type.endsWith(`:${type}`));
  return { resources, result, own };
}

test("declares a pool and a provider for any CI system", async () => {
  const { resources, result, own } = await federate();
  const given = ["iam", "publisher"];
  expect(
    resources
      .filter(({ name, type }) => !given.includes(name) && !type.startsWith("hyperion:"))
      .map(({ type, name, parent }) => [type.split(":")[2], name, parent])
      .sort(),
  ).toEqual([
    ["IAMMember", "ci-other-publish", "ci-other"],
    ["Service", "ci-other-credentials", "ci-other"],
    ["Service", "ci-other-sts", "ci-other"],
    ["WorkloadIdentityPool", "ci-other", "ci-other"],
    ["WorkloadIdentityPoolProvider", "ci-other", "ci-other"],
  ]);
  expect(own("ci-other", "WorkloadIdentityPool")).toMatchObject({
    inputs: {
      workloadIdentityPoolId: "hyperion-ci",
      displayName: "Another CI",
      description: "Identities of CI (Pulumi stack project/stack)",
    },
    dependsOn: ["ci-other-credentials", "ci-other-sts", "iam"],
    importId: "",
  });
  expect(own("ci-other", "WorkloadIdentityPoolProvider")?.inputs).toMatchObject({
    workloadIdentityPoolProviderId: "other",
    description: "Tokens of Another CI (Pulumi stack project/stack)",
    oidc: { issuerUri: "https://ci.example.com" },
    attributeMapping: rules.attributeMapping,
    attributeCondition: rules.attributeCondition,
  });
  expect(await valueOf(result.provider)).toBe(`${POOL}/providers/other`);
});

test("binds each account to a value of attribute.access, never to the whole pool", async () => {
  const { own } = await federate();
  expect(own("ci-other-publish", "IAMMember")?.inputs).toEqual({
    serviceAccountId:
      "projects/production-471918/serviceAccounts/hyperion-ci@production-471918.iam.gserviceaccount.com",
    role: "roles/iam.workloadIdentityUser",
    member: `principalSet://iam.googleapis.com/${POOL}/attribute.access/publish`,
  });
});

test("imports an existing pool and provider", async () => {
  const { resources } = await federate({ adoptPool: true, adoptProvider: true });
  const pool = "projects/production-471918/locations/global/workloadIdentityPools/hyperion-ci";
  expect(resources.map(({ importId }) => importId).filter((id) => id !== "")).toEqual([
    pool,
    `${pool}/providers/other`,
  ]);
});
