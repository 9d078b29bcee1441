import { WorkloadIdentityPool } from "@pulumi/gcp/iam/workloadIdentityPool.js";
import { WorkloadIdentityPoolProvider } from "@pulumi/gcp/iam/workloadIdentityPoolProvider.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import type { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { IAMMember } from "@pulumi/gcp/serviceaccount/iammember.js";
import * as pulumi from "@pulumi/pulumi";
import { poolName, providerName } from "../../google/full-names.ts";
import { marked } from "../../google/marks.ts";

/** What makes a CI system's tokens known at Google: who signs them, which are let in, what becomes of them. */
export interface TokenRules {
  /** The system's name, as the console shows it. */
  displayName: string;
  /** Address of the issuer of its tokens (OpenID Connect). */
  issuer: string;
  /** Attribute of the identity, such as `attribute.access`, to an expression (CEL) over the token's claims. */
  attributeMapping: Record<string, string>;
  /** Expression (CEL) that a token has to fulfil. */
  attributeCondition: string;
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
  /** Accounts that may be acted as, each by its value of `attribute.access`. */
  accounts: Readonly<Record<string, Account>>;
  /** Import the pool that exists already. */
  adoptPool: boolean;
  /** Import the provider that exists already. */
  adoptProvider: boolean;
}

/** Lets a CI system's workflows act as service accounts by tokens of its own, without a key. */
export class WorkloadIdentity extends pulumi.ComponentResource {
  /** Full name of the provider, as google-github-actions/auth takes it. */
  public readonly provider: pulumi.Output<string>;

  constructor(name: string, args: WorkloadIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:WorkloadIdentity", name, {}, opts);
    const { project, poolId, providerId } = args;
    const apis = (["credentials", "sts"] as const).map(
      (api) =>
        new Service(
          `${name}-${api}`,
          // Left enabled by destroy: others in the project may use it.
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
        description: marked("Identities of CI"),
      },
      { parent: this, dependsOn: [args.api, ...apis], ...(args.adoptPool && { import: poolPath }) },
    );
    const provider = new WorkloadIdentityPoolProvider(
      name,
      {
        project,
        workloadIdentityPoolId: pool.workloadIdentityPoolId,
        workloadIdentityPoolProviderId: providerId,
        description: marked(`Tokens of ${args.displayName}`),
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
