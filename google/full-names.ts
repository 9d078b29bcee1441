/** Full name of a repository, as Artifact Registry's API and an import take it. */
export function repositoryName(project: string, location: string, repositoryId: string): string {
  return `projects/${project}/locations/${location}/repositories/${repositoryId}`;
}

/** Address of a service account. */
export function accountEmail(project: string, accountId: string): string {
  return `${accountId}@${project}.iam.gserviceaccount.com`;
}

/** Full name of a service account, as IAM's API and an import take it. */
export function accountName(project: string, accountId: string): string {
  return `projects/${project}/serviceAccounts/${accountEmail(project, accountId)}`;
}

/** Full name of a workload identity pool, by project id, as IAM's API and an import take it. */
export function poolName(project: string, poolId: string): string {
  return `projects/${project}/locations/global/workloadIdentityPools/${poolId}`;
}

/** Full name of a provider in a pool. */
export function providerName(pool: string, providerId: string): string {
  return `${pool}/providers/${providerId}`;
}

/** Full name of a project's exception from domain restricted sharing, as the Organization Policy API and an import take it. */
export function exceptionName(project: string): string {
  return `projects/${project}/policies/iam.allowedPolicyMemberDomains`;
}
