import { type Repository, RepositoryIamMember } from "@pulumi/gcp/artifactregistry";
import * as pulumi from "@pulumi/pulumi";

export interface RepositoryAccessArgs {
  /** Repository that access is given to. */
  repository: Repository;
  /** Principals that may pull, such as `group:devs@example.com`. */
  readers: readonly string[];
  /** Principals that may push, and pull. */
  writers: readonly string[];
  /** Let everybody pull without a login. */
  publicAccess: boolean;
}

/** Who may pull from and push to a repository: one binding a principal, beside what others granted. */
export class RepositoryAccess extends pulumi.ComponentResource {
  constructor(name: string, args: RepositoryAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:RepositoryAccess", name, {}, opts);
    const { project, location, repositoryId: repository } = args.repository;
    const grant = (kind: "reader" | "writer", member: string): RepositoryIamMember =>
      new RepositoryIamMember(
        `${name}-${kind}-${member}`,
        { project, location, repository, role: `roles/artifactregistry.${kind}`, member },
        { parent: this },
      );
    args.readers.forEach((member) => grant("reader", member));
    args.writers.forEach((member) => grant("writer", member));
    if (args.publicAccess) grant("reader", "allUsers");
    this.registerOutputs();
  }
}
