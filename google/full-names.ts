/** Where a repository of Artifact Registry is. */
export interface RepositoryPlace {
  project: string;
  /** Region, such as `us-central1`. */
  location: string;
  repositoryId: string;
}

/** Full name of a repository, for Artifact Registry's API and for an import. */
export function repositoryName({ project, location, repositoryId }: RepositoryPlace): string {
  return `projects/${project}/locations/${location}/repositories/${repositoryId}`;
}

/** Email address of a service account. */
export function accountEmail(project: string, accountId: string): string {
  return `${accountId}@${project}.iam.gserviceaccount.com`;
}

/** Full name of a service account, for IAM's API and for an import. */
export function accountName(project: string, accountId: string): string {
  return `projects/${project}/serviceAccounts/${accountEmail(project, accountId)}`;
}

/** Full name of a workload identity pool, with the project's id, for IAM's API and for an import. */
export function poolName(project: string, poolId: string): string {
  return `projects/${project}/locations/global/workloadIdentityPools/${poolId}`;
}

/** Full name of a provider in a pool. */
export function providerName(pool: string, providerId: string): string {
  return `${pool}/providers/${providerId}`;
}

/**
 * Full name of a project's exception from domain restricted sharing, for the Organization Policy API and for an import.
 */
export function exceptionName(project: string): string {
  return `projects/${project}/policies/iam.allowedPolicyMemberDomains`;
}
