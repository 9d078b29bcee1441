import { WorkloadIdentityPool } from "@pulumi/gcp/iam/workloadIdentityPool.js";
import { WorkloadIdentityPoolProvider } from "@pulumi/gcp/iam/workloadIdentityPoolProvider.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import type { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { IAMMember } from "@pulumi/gcp/serviceaccount/iammember.js";
import * as pulumi from "@pulumi/pulumi";
import { poolName, providerName } from "../../google/full-names.ts";
import { addMark } from "../../google/marks.ts";

/** How Google verifies and maps the tokens of a CI system. */
export interface TokenRules {
  /** Name of the system for the console. */
  displayName: pulumi.Input<string>;
  /** URL of the issuer of its tokens (OpenID Connect). */
  issuer: pulumi.Input<string>;
  /** For each attribute, such as `attribute.access`, an expression (CEL) over the token's claims. */
  attributeMapping: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Condition (CEL) that a token has to meet. */
  attributeCondition: pulumi.Input<string>;
}

export interface WorkloadIdentityArgs extends TokenRules {
  /** Google Cloud project of the pool. */
  project: string;
  /** Id of the workload identity pool. */
  poolId: string;
  /** Id of the provider in the pool. */
  providerId: string;
  /** The enabled IAM API. */
  api: pulumi.Resource;
  /** Accounts that tokens can impersonate, by the required value of `attribute.access`. */
  accounts: Readonly<Record<string, Account>>;
  /** Import the existing pool. */
  adoptPool: boolean;
  /** Import the existing provider. */
  adoptProvider: boolean;
}

/** Lets the workflows of a CI system impersonate service accounts by its own tokens, without a key. */
export class WorkloadIdentity extends pulumi.ComponentResource {
  /** Full name of the provider, for google-github-actions/auth. */
  public readonly provider: pulumi.Output<string>;

  constructor(name: string, args: WorkloadIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:WorkloadIdentity", name, {}, opts);
    const { project, poolId, providerId } = args;
    const apis = (["credentials", "sts"] as const).map(
      (api) =>
        new Service(
          `${name}-${api}`,
          // Stays enabled after destroy, because others in the project may use it.
          { project, service: API_NAMES[api], disableOnDestroy: false },
          { parent: this },
        ),
    );
    const poolPath = poolName(project, poolId);
    const pool = new WorkloadIdentityPool(
      name,
      {
        project,
        workloadIdentityPoolId: poolId,
        displayName: args.displayName,
        description: addMark("Identities of CI"),
      },
      { parent: this, dependsOn: [args.api, ...apis], ...(args.adoptPool && { import: poolPath }) },
    );
    const provider = new WorkloadIdentityPoolProvider(
      name,
      {
        project,
        workloadIdentityPoolId: pool.workloadIdentityPoolId,
        workloadIdentityPoolProviderId: providerId,
        description: pulumi.output(args.displayName).apply((system) => addMark(`Tokens of ${system}`)),
        attributeMapping: args.attributeMapping,
        attributeCondition: args.attributeCondition,
        oidc: { issuerUri: args.issuer },
      },
      { parent: this, ...(args.adoptProvider && { import: providerName(poolPath, providerId) }) },
    );
    for (const [access, account] of Object.entries(args.accounts)) {
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
    this.provider = provider.name;
    this.registerOutputs({ provider: this.provider });
  }
}

const API_NAMES = { credentials: "iamcredentials.googleapis.com", sts: "sts.googleapis.com" };
