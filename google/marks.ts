import * as pulumi from "@pulumi/pulumi";

/** How a mark stands at the end of a description. */
const MARK = / \(Pulumi stack ([^()\s]+)\)$/;

/** What this stack is known by: its project and its name. */
export function ownMark(): string {
  return `${pulumi.getProject()}/${pulumi.getStack()}`;
}

/**
 * A description that says which stack made what it stands at: a program does not see its own state.
 *
 * Google takes 256 bytes for a service account, 256 characters for an identity pool and its providers; of a repository's
 * it names no end. Sources: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts,
 * https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools. The names of a project
 * and a stack have 100 characters each at most.
 */
export function marked(description: string): string {
  return `${description} (Pulumi stack ${ownMark()})`;
}

/** The stack that a description names as the maker. */
export function markIn(description: string): string | undefined {
  return MARK.exec(description)?.[1];
}
