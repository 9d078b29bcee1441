import { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { RepositoryIamMember } from "@pulumi/gcp/artifactregistry/repositoryIamMember.js";
import { WorkloadIdentityPool } from "@pulumi/gcp/iam/workloadIdentityPool.js";
import { WorkloadIdentityPoolProvider } from "@pulumi/gcp/iam/workloadIdentityPoolProvider.js";
import { Policy } from "@pulumi/gcp/orgpolicy/policy.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { IAMMember } from "@pulumi/gcp/serviceaccount/iammember.js";

const project = "production-471918";
const number = "123456789012";

/** Declares one resource of each gcp type; returns the repository. */
export function google(dockerConfig: { immutableTags: boolean } | undefined): Repository {
  const dependsOn = ["artifactregistry", "iam", "orgpolicy"].map(
    (name) => new Service(name, { service: `${name}.googleapis.com`, disableOnDestroy: false }),
  );
  const policy = new Policy(
    "p",
    {
      name: `projects/${project}/policies/iam.allowedPolicyMemberDomains`,
      parent: `projects/${project}`,
      spec: { rules: [{ allowAll: "TRUE" }] },
    },
    { dependsOn },
  );
  const registry = new Repository(
    "registry",
    {
      repositoryId: "hyperion-public",
      format: "DOCKER",
      location: "us-central1",
      description: "Hyperion images",
      labels: { app: "hyperion" },
      cleanupPolicies: [
        {
          id: "delete-untagged",
          action: "DELETE",
          condition: { tagState: "UNTAGGED", olderThan: "1209600s" },
        },
        { id: "keep-recent", action: "KEEP", mostRecentVersions: { keepCount: 10 } },
      ],
      cleanupPolicyDryRun: false,
      vulnerabilityScanningConfig: { enablementConfig: "INHERITED" },
      ...(dockerConfig && { dockerConfig }),
    },
    { dependsOn },
  );
  const account = new Account(
    "ci",
    { accountId: "hyperion-ci", displayName: "Hyperion CI", description: "Publishes images" },
    { dependsOn },
  );
  const role = "roles/artifactregistry.reader";
  const reader = { location: "us-central1", repository: registry.repositoryId, role };
  new RepositoryIamMember("ci-reader", { ...reader, member: account.member });
  new RepositoryIamMember(
    "public",
    { ...reader, project: registry.project, member: "allUsers" },
    { dependsOn: policy },
  );
  const pool = new WorkloadIdentityPool(
    "github",
    { workloadIdentityPoolId: "github", displayName: "GitHub Actions" },
    { dependsOn },
  );
  new WorkloadIdentityPoolProvider("github", {
    workloadIdentityPoolId: pool.workloadIdentityPoolId,
    workloadIdentityPoolProviderId: "github",
    attributeMapping: {
      "google.subject": "assertion.sub",
      "attribute.repository": "assertion.repository",
    },
    attributeCondition: "assertion.repository=='HyperionWave-AI/dev-squad'",
    oidc: { issuerUri: "https://token.actions.githubusercontent.com" },
  });
  const poolName = `projects/${number}/locations/global/workloadIdentityPools/github`;
  new IAMMember(
    "ci-wif",
    {
      serviceAccountId: account.name,
      role: "roles/iam.workloadIdentityUser",
      member: `principalSet://iam.googleapis.com/${poolName}/attribute.repository/HyperionWave-AI/dev-squad`,
    },
    { dependsOn: pool },
  );
  return registry;
}
