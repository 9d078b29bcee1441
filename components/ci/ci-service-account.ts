import type { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { WorkloadIdentityPool } from "@pulumi/gcp/iam/workloadIdentityPool.js";
import { WorkloadIdentityPoolProvider } from "@pulumi/gcp/iam/workloadIdentityPoolProvider.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { IAMMember } from "@pulumi/gcp/serviceaccount/iammember.js";
import * as pulumi from "@pulumi/pulumi";
import { attributeCondition, attributeMapping, type GithubTrust } from "./github-claims.ts";
import { grantOnRepository } from "../../google/repository-grant.ts";
import { poolName, providerName } from "../../google/full-names.ts";

export interface CiServiceAccountArgs {
  /** Google Cloud project of the accounts. */
  project: string;
  /** Id of the account, the part of its address before the `@`. */
  accountId: string;
  /** Repository that CI reads. */
  repository: Repository;
  /** Let CI push to the repository too. */
  canPublish: boolean;
  /** GitHub workflows that may act as the accounts without a key; default none. */
  github?: GithubFederationArgs;
}

export interface GithubFederationArgs extends GithubTrust {
  /** Id of the workload identity pool. */
  poolId: string;
  /** Id of the provider in the pool. */
  providerId: string;
  /** Import the pool that exists already. */
  adoptPool: boolean;
  /** Import the provider that exists already. */
  adoptProvider: boolean;
}

/**
 * The identity of CI: a service account with grants on one repository, no project role and no key.
 * With `github`, workflows act as it through workload identity federation, and pull requests as a
 * second account, `<accountId>-preview`, which can only read.
 */
export class CiServiceAccount extends pulumi.ComponentResource {
  /** Address of the account, `hyperion-ci@my-project.iam.gserviceaccount.com`. */
  public readonly email: pulumi.Output<string>;
  /** Address of the preview account; only with `github`. */
  public readonly previewEmail: pulumi.Output<string> | undefined;
  /** Principals that may pull, and push, by this component's bindings. */
  public readonly readers: pulumi.Output<string>[] = [];
  public readonly writers: pulumi.Output<string>[] = [];
  /** Full name of the provider, as google-github-actions/auth takes it; only with `github`. */
  public readonly workloadIdentityProvider: pulumi.Output<string> | undefined;

  private readonly logicalName: string;
  private readonly project: string;

  constructor(name: string, args: CiServiceAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:CiServiceAccount", name, {}, opts);
    this.logicalName = name;
    this.project = args.project;
    const { accountId, repository, github } = args;
    const iam = this.enable(name, "iam.googleapis.com");
    const publisher = this.account(name, accountId, "Publishes the images of Hyperion", iam);
    this.grant(name, "reader", publisher, repository);
    if (args.canPublish) this.grant(name, "writer", publisher, repository);
    this.email = publisher.email;
    if (github !== undefined) {
      const previewer = this.account(
        `${name}-preview`,
        `${accountId}-preview`,
        "Previews changes of the registry",
        iam,
      );
      this.grant(`${name}-preview`, "reader", previewer, repository);
      this.previewEmail = previewer.email;
      this.workloadIdentityProvider = this.federate(github, iam, { publish: publisher, preview: previewer });
    }
    this.registerOutputs({
      email: this.email,
      previewEmail: this.previewEmail,
      workloadIdentityProvider: this.workloadIdentityProvider,
    });
  }

  private enable(name: string, service: string): Service {
    return new Service(name, { project: this.project, service, disableOnDestroy: false }, { parent: this });
  }

  private account(name: string, accountId: string, description: string, api: Service): Account {
    return new Account(
      name,
      {
        project: this.project,
        accountId,
        displayName: "Hyperion CI",
        description,
        createIgnoreAlreadyExists: true,
      },
      { parent: this, dependsOn: api },
    );
  }

  private grant(name: string, kind: "reader" | "writer", account: Account, repository: Repository): void {
    (kind === "reader" ? this.readers : this.writers).push(account.member);
    grantOnRepository(`${name}-${kind}`, repository, kind, account.member, { parent: this });
  }

  /** Lets GitHub's tokens in, and binds each account to what the token's workflow may do. */
  private federate(
    github: GithubFederationArgs,
    iam: Service,
    accounts: Record<"publish" | "preview", Account>,
  ): pulumi.Output<string> {
    const name = `${this.logicalName}-github`;
    const apis = [
      iam,
      this.enable(`${this.logicalName}-credentials`, "iamcredentials.googleapis.com"),
      this.enable(`${this.logicalName}-sts`, "sts.googleapis.com"),
    ];
    const poolPath = poolName(this.project, github.poolId);
    const pool = new WorkloadIdentityPool(
      name,
      { project: this.project, workloadIdentityPoolId: github.poolId, displayName: "GitHub Actions" },
      { parent: this, dependsOn: apis, ...(github.adoptPool && { import: poolPath }) },
    );
    const provider = new WorkloadIdentityPoolProvider(
      name,
      {
        project: this.project,
        workloadIdentityPoolId: pool.workloadIdentityPoolId,
        workloadIdentityPoolProviderId: github.providerId,
        attributeMapping: attributeMapping(github),
        attributeCondition: attributeCondition(github),
        oidc: { issuerUri: "https://token.actions.githubusercontent.com" },
      },
      {
        parent: this,
        ...(github.adoptProvider && { import: providerName(poolPath, github.providerId) }),
      },
    );
    for (const [access, account] of Object.entries(accounts)) {
      new IAMMember(
        `${name}-${access}`,
        {
          serviceAccountId: account.name,
          role: "roles/iam.workloadIdentityUser",
          member: pulumi.interpolate`principalSet://iam.googleapis.com/${pool.name}/attribute.access/${access}`,
        },
        { parent: this },
      );
    }
    return provider.name;
  }
}
