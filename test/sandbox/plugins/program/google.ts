import { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { RepositoryIamMember } from "@pulumi/gcp/artifactregistry/repositoryIamMember.js";
import { WorkloadIdentityPool } from "@pulumi/gcp/iam/workloadIdentityPool.js";
import { WorkloadIdentityPoolProvider } from "@pulumi/gcp/iam/workloadIdentityPoolProvider.js";
import { Policy } from "@pulumi/gcp/orgpolicy/policy.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { IAMMember } from "@pulumi/gcp/serviceaccount/iammember.js";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import type { GoogleSettings } from "./settings.ts";

const project = "production-471918";
const number = "123456789012";

/** Declares one resource of each gcp type. */
export function google(set: GoogleSettings, imports: Record<string, string> = {}): void {
  /** The import option, when the settings give an id for this name. */
  const imported = (name: string): CustomResourceOptions => {
    const id = imports[name];
    return id === undefined ? {} : { import: id };
  };
  const dependsOn = ["artifactregistry", "iam", "orgpolicy"].map(
    (name) =>
      new Service(
        name,
        { service: `${name}.googleapis.com`, disableOnDestroy: false },
        imported(`service ${name}`),
      ),
  );
  const policy = new Policy(
    "p",
    {
      name: `projects/${project}/policies/iam.allowedPolicyMemberDomains`,
      parent: `projects/${project}`,
      spec: { rules: [set.rule ?? { allowAll: "TRUE" }] },
    },
    { dependsOn, ...imported("p") },
  );
  const registry = new Repository(
    "registry",
    {
      repositoryId: "hyperion-public",
      format: "DOCKER",
      location: "us-central1",
      ...(set.description !== undefined && { description: set.description }),
      ...(set.labels !== undefined && { labels: set.labels }),
      cleanupPolicies: [
        {
          id: "delete-untagged",
          action: "DELETE",
          condition: { tagState: "UNTAGGED", olderThan: "1209600s" },
        },
        { id: "keep-recent", action: "KEEP", mostRecentVersions: { keepCount: set.keepCount ?? 10 } },
      ],
      cleanupPolicyDryRun: set.dryRun ?? false,
      vulnerabilityScanningConfig: { enablementConfig: set.scanning ?? "INHERITED" },
      ...(set.dockerConfig && { dockerConfig: set.dockerConfig }),
    },
    { dependsOn, ...imported("registry") },
  );
  const account = new Account(
    "ci",
    {
      accountId: "hyperion-ci",
      displayName: set.accountName ?? "Hyperion CI",
      description: "Publishes images",
      ...(set.adopt && { createIgnoreAlreadyExists: true }),
    },
    { dependsOn, ...imported("ci") },
  );
  const role = "roles/artifactregistry.reader";
  const reader = { location: "us-central1", repository: registry.repositoryId };
  new RepositoryIamMember("ci-reader", { ...reader, role: set.role ?? role, member: account.member });
  if (set.public)
    new RepositoryIamMember(
      "public",
      { ...reader, role, project: registry.project, member: "allUsers" },
      { dependsOn: policy },
    );
  const pool = new WorkloadIdentityPool(
    "github",
    { workloadIdentityPoolId: "github", displayName: set.poolName ?? "GitHub Actions" },
    { dependsOn, ...imported("pool") },
  );
  new WorkloadIdentityPoolProvider(
    "github",
    {
      workloadIdentityPoolId: pool.workloadIdentityPoolId,
      workloadIdentityPoolProviderId: "github",
      attributeMapping: {
        "google.subject": "assertion.sub",
        "attribute.repository": "assertion.repository",
        ...set.mapping,
      },
      attributeCondition: set.condition ?? "assertion.repository=='HyperionWave-AI/dev-squad'",
      oidc: {
        issuerUri: "https://token.actions.githubusercontent.com",
        ...(set.audiences && { allowedAudiences: set.audiences }),
      },
    },
    imported("provider"),
  );
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
}
