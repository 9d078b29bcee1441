import { type Repository, RepositoryIamMember } from "@pulumi/gcp/artifactregistry";
import { Service } from "@pulumi/gcp/projects";
import { Account } from "@pulumi/gcp/serviceaccount";
import * as pulumi from "@pulumi/pulumi";

export interface CiServiceAccountArgs {
  /** Google Cloud project of the account. */
  project: string;
  /** Id of the account, the part of its address before the `@`. */
  accountId: string;
  /** Repository that CI reads. */
  repository: Repository;
  /** Let CI push to the repository too. */
  canPublish: boolean;
}

/** The identity of CI: a service account with grants on one repository, no project role and no key. */
export class CiServiceAccount extends pulumi.ComponentResource {
  /** Address of the account, `hyperion-ci@my-project.iam.gserviceaccount.com`. */
  public readonly email: pulumi.Output<string>;

  constructor(name: string, args: CiServiceAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:CiServiceAccount", name, {}, opts);
    const api = new Service(
      name,
      { project: args.project, service: "iam.googleapis.com", disableOnDestroy: false },
      { parent: this },
    );
    const account = new Account(
      name,
      {
        project: args.project,
        accountId: args.accountId,
        displayName: "Hyperion CI",
        description: "Publishes and previews the images of Hyperion",
        createIgnoreAlreadyExists: true,
      },
      { parent: this, dependsOn: api },
    );
    this.email = account.email;
    const { project, location, repositoryId: repository } = args.repository;
    for (const kind of args.canPublish ? ["reader", "writer"] : ["reader"]) {
      new RepositoryIamMember(
        `${name}-${kind}`,
        { project, location, repository, role: `roles/artifactregistry.${kind}`, member: account.member },
        { parent: this },
      );
    }
    this.registerOutputs({ email: this.email });
  }
}
