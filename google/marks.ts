import * as pulumi from "@pulumi/pulumi";

/** A mark is the end of a description. */
const MARK = / \(Pulumi stack ([^()\s]+)\)$/;

/** The mark of this stack: `project/stack`. */
export function stackMark(): string {
  return `${pulumi.getProject()}/${pulumi.getStack()}`;
}

/**
 * Appends the owning stack to a description. A program cannot read its own state, so the mark is how it finds its
 * resources.
 *
 * Google allows 256 bytes for a service account, and 256 characters for an identity pool and its providers. It documents
 * no limit for a repository. The names of a project and a stack have at most 100 characters each. Sources:
 * https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts,
 * https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools
 */
export function addMark(description: string): string {
  return `${description} (Pulumi stack ${stackMark()})`;
}

/** Reads the owning stack from a description. */
export function readMark(description: string): string | undefined {
  return MARK.exec(description)?.[1];
}
