import type { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import * as pulumi from "@pulumi/pulumi";
import { accountName } from "../../google/full-names.ts";
import { marked } from "../../google/marks.ts";
import { grantOnRepository } from "../../google/repository-grant.ts";

export interface CiServiceAccountArgs {
  /** Google Cloud project of the accounts. */
  project: string;
  /** Id of the account, the part of its address before the `@`. */
  accountId: string;
  /** Repository that CI reads. */
  repository: Repository;
  /** Let CI push to the repository too. */
  canPublish: boolean;
  /** Have a second account, `<accountId>-preview`, which can only read. */
  withPreview: boolean;
  /** Import the account that exists already. */
  adoptPublisher: boolean;
  /** Import the preview account that exists already. */
  adoptPreviewer: boolean;
}

/** Id of the account that only reads, beside that of CI. */
export function previewAccountId(accountId: string): string {
  return `${accountId}-preview`;
}

/** The identity of CI: service accounts with grants on one repository, no project role and no key. */
export class CiServiceAccount extends pulumi.ComponentResource {
  /** The enabled IAM API, which whatever names these accounts waits for. */
  public readonly api: Service;
  /** The account that reads, and publishes where it may. */
  public readonly publisher: Account;
  /** The account that only reads, for pull requests. */
  public readonly previewer: Account | undefined;
  /** Principals that may pull, and push, by this component's bindings. */
  public readonly readers: pulumi.Output<string>[] = [];
  public readonly writers: pulumi.Output<string>[] = [];

  constructor(name: string, args: CiServiceAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:CiServiceAccount", name, {}, opts);
    const { project, accountId, repository } = args;
    this.api = new Service(
      name,
      // Left enabled by destroy: others in the project may use it.
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
          description: marked(description),
          // Whose an account of that name is was looked at before; here it is the repeat of a call whose answer was lost.
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
