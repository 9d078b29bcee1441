import type { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import * as pulumi from "@pulumi/pulumi";
import { accountName } from "../../google/full-names.ts";
import { addMark } from "../../google/marks.ts";
import { grantOnRepository } from "../../google/repository-grant.ts";

export interface CiServiceAccountArgs {
  /** Google Cloud project of the accounts. */
  project: string;
  /** Id of the account: the part of its email address before the `@`. */
  accountId: string;
  /** Repository to grant access to. */
  repository: Repository;
  /** Let CI push to the repository too. */
  canPublish: boolean;
  /** Declare a second account, `<accountId>-preview`, that can only read. */
  withPreview: boolean;
  /** Import the existing account. */
  adoptPublisher: boolean;
  /** Import the existing preview account. */
  adoptPreviewer: boolean;
}

/** Id of the account that can only read. */
export function previewAccountId(accountId: string): string {
  return `${accountId}-preview`;
}

/** The service accounts of CI, with grants on one repository. They have no project role and no key. */
export class CiServiceAccount extends pulumi.ComponentResource {
  /** The enabled IAM API. Resources that name these accounts depend on it. */
  public readonly api: Service;
  /** The account that reads and, with `canPublish`, pushes. */
  public readonly publisher: Account;
  /** The account for pull requests, which can only read. */
  public readonly previewer: Account | undefined;
  /** Principals that can pull by this component's bindings. */
  public readonly readers: pulumi.Output<string>[] = [];
  /** Principals that can push by this component's bindings. */
  public readonly writers: pulumi.Output<string>[] = [];

  constructor(name: string, args: CiServiceAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:CiServiceAccount", name, {}, opts);
    const { project, accountId, repository } = args;
    this.api = new Service(
      name,
      // Stays enabled after destroy, because others in the project may use it.
      { project, service: "iam.googleapis.com", disableOnDestroy: false },
      { parent: this },
    );
    const account = (logicalName: string, id: string, description: string, adopt: boolean): Account =>
      new Account(
        logicalName,
        {
          project,
          accountId: id,
          displayName: "Hyperion CI",
          description: addMark(description),
          // Ownership is already checked; this makes a retried create idempotent.
          createIgnoreAlreadyExists: true,
        },
        { parent: this, dependsOn: this.api, ...(adopt && { import: accountName(project, id) }) },
      );
    const grant = (logicalName: string, kind: "reader" | "writer", { member }: Account): void => {
      (kind === "reader" ? this.readers : this.writers).push(member);
      grantOnRepository(`${logicalName}-${kind}`, repository, kind, member, { parent: this });
    };
    this.publisher = account(name, accountId, "Publishes the images of Hyperion", args.adoptPublisher);
    grant(name, "reader", this.publisher);
    if (args.canPublish) grant(name, "writer", this.publisher);
    if (args.withPreview) {
      const preview = `${name}-preview`;
      this.previewer = account(
        preview,
        previewAccountId(accountId),
        "Previews changes of the registry",
        args.adoptPreviewer,
      );
      grant(preview, "reader", this.previewer);
    }
    this.registerOutputs({ email: this.publisher.email, previewEmail: this.previewer?.email });
  }
}
