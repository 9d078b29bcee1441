import { z } from "zod";
import { iam } from "../../google/apis.ts";
import { checkOwnership, type Fate } from "../../google/check-ownership.ts";
import type { Found } from "../../google/existence.ts";
import { poolName, providerName } from "../../google/full-names.ts";
import type { Outputs } from "../../google/last-outputs.ts";
import type { Checked } from "../../problems/checks.ts";
import { configSet } from "../../problems/setting-commands.ts";

/** A workload identity, by the ids of its pool and of the provider in it. */
export interface Identity {
  project: string;
  poolId: string;
  providerId: string;
}

/** What becomes of the parts of an identity. */
export interface IdentityFates {
  pool: Fate;
  provider: Fate;
}

const provider = z.object({
  attributeCondition: z.string().default("none"),
  oidc: z.object({ issuerUri: z.string().default("none") }).optional(),
});

/**
 * Looks whether a pool and its provider exist already, and whose they are; a deleted one is there for 30 days more.
 *
 * @param identity none where nobody is trusted: nothing is asked.
 */
export async function checkIdentity(
  identity: Identity | undefined,
  outputs: Outputs,
  adoptExisting: boolean,
): Promise<Checked<IdentityFates>> {
  if (identity === undefined) return { found: { pool: "create", provider: "create" }, problems: [] };
  const { project, poolId, providerId } = identity;
  const output = String(outputs["workloadIdentityProvider"]);
  const name = poolName(project, poolId);
  const common = {
    api: iam,
    comesBack: true,
    anotherOne: configSet("githubPoolId", "NAME"),
  };
  const [pool, inside] = await Promise.all([
    checkOwnership(
      {
        ...common,
        name,
        kind: "an identity pool",
        isNamed: output.includes(`/workloadIdentityPools/${poolId}/`),
        tell: ({ state }) => [`its state is ${state}`],
        unmark: `gcloud iam workload-identity-pools update ${poolId} --project=${project} --location=global --description=`,
      },
      adoptExisting,
    ),
    checkOwnership(
      {
        ...common,
        name: providerName(name, providerId),
        kind: "a provider",
        isNamed: output.endsWith(providerName(`/workloadIdentityPools/${poolId}`, providerId)),
        tell: tellProvider,
        unmark: `gcloud iam workload-identity-pools providers update-oidc ${providerId} --workload-identity-pool=${poolId} --project=${project} --location=global --description=`,
      },
      adoptExisting,
    ),
  ]);
  return {
    found: { pool: pool.found, provider: inside.found },
    problems: [...pool.problems, ...inside.problems],
  };
}

function tellProvider(found: Found): string[] {
  const { oidc, attributeCondition } = provider.parse(found);
  return [
    `its state is ${found.state}`,
    `its issuer is ${oidc?.issuerUri ?? "none"}`,
    `its condition is ${attributeCondition}`,
  ];
}
