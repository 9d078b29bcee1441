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
  /** Repository that access is given to. */
  repository: Repository;
  /** Principals that may pull, such as `group:devs@example.com`. */
  readers: readonly string[];
  /** Principals that may push, and pull. */
  writers: readonly string[];
  /** Let everybody pull without a login. */
  publicAccess: boolean;
  /** With `publicAccess`: lift domain restricted sharing on the project. */
  overrideDomainRestrictedSharing: boolean;
  /** Import the project's exception that exists already; what differs is then updated in place. */
  adoptException: boolean;
}

/** Who may pull from and push to a repository: one binding a principal, beside what others granted. */
export class RepositoryAccess extends pulumi.ComponentResource {
  /** Who may pull by this component's bindings; writers may too. */
  public readonly readers: string[];
  /** Who may push by this component's bindings. */
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

  /** The exception from `constraints/iam.allowedPolicyMemberDomains`, on this project alone. */
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
