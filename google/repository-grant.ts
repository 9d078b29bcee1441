import type { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { RepositoryIamMember } from "@pulumi/gcp/artifactregistry/repositoryIamMember.js";
import type * as pulumi from "@pulumi/pulumi";

/** Lets a principal pull (`reader`), or push and pull (`writer`). Applies to one repository and keeps other grants. */
export function grantOnRepository(
  name: string,
  { project, location, repositoryId }: Repository,
  kind: "reader" | "writer",
  member: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): void {
  new RepositoryIamMember(
    name,
    { project, location, repository: repositoryId, role: `roles/artifactregistry.${kind}`, member },
    opts,
  );
}
