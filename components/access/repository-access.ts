import type { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { Policy } from "@pulumi/gcp/orgpolicy/policy.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import * as pulumi from "@pulumi/pulumi";
import { ALL_AUTHENTICATED_USERS } from "./principals.ts";
import { grantOnRepository } from "../../google/repository-grant.ts";
import { exceptionName } from "../../google/full-names.ts";

export interface RepositoryAccessArgs {
  /** Google Cloud project of the repository. */
  project: string;
  /** Repository to grant access to. */
  repository: Repository;
  /** Principals that can pull, such as `group:devs@example.com`. */
  readers: readonly string[];
  /** Principals that can push and pull. */
  writers: readonly string[];
  /** Let everyone pull without a login. */
  publicAccess: boolean;
  /** With `publicAccess`: lift domain restricted sharing on the project. */
  overrideDomainRestrictedSharing: boolean;
  /** Import the project's existing exception. Differences are updated in place. */
  adoptException: boolean;
}

/** Grants access to a repository by one binding for each principal. Keeps other grants. */
export class RepositoryAccess extends pulumi.ComponentResource {
  /** Principals that can pull by this component's bindings, without the writers. */
  public readonly readers: string[];
  /** Principals that can push by this component's bindings. */
  public readonly writers: string[];

  constructor(name: string, args: RepositoryAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:RepositoryAccess", name, {}, opts);
    const { project, publicAccess, overrideDomainRestrictedSharing } = args;
    const grant = (kind: "reader" | "writer", member: string, dependsOn: pulumi.Resource[] = []): void => {
      grantOnRepository(`${name}-${kind}-${member}`, args.repository, kind, member, {
        parent: this,
        dependsOn,
      });
    };
    let exception: Policy[] = [];
    if (publicAccess) {
      const api = new Service(
        name,
        { project, service: "orgpolicy.googleapis.com", disableOnDestroy: false },
        { parent: this },
      );
      exception = overrideDomainRestrictedSharing ? [this.liftRestriction(name, args, api)] : [];
      grant("reader", "allUsers", exception);
    }
    for (const member of args.readers) {
      grant("reader", member, member === ALL_AUTHENTICATED_USERS ? exception : []);
    }
    for (const member of args.writers) grant("writer", member);
    this.readers = [...args.readers, ...(publicAccess ? ["allUsers"] : [])];
    this.writers = [...args.writers];
    this.registerOutputs({ readers: this.readers, writers: this.writers });
  }

  /** Declares the project's exception from `constraints/iam.allowedPolicyMemberDomains`. */
  private liftRestriction(
    name: string,
    { project, adoptException }: RepositoryAccessArgs,
    api: Service,
  ): Policy {
    const policy = exceptionName(project);
    return new Policy(
      name,
      {
        name: policy,
        parent: `projects/${project}`,
        spec: { rules: [{ allowAll: "TRUE" }] },
      },
      { parent: this, dependsOn: api, ...(adoptException && { import: policy }) },
    );
  }
}
