import { z } from "zod";
import { iam } from "../../google/apis.ts";
import { checkOwnership, type ImportAction } from "../../google/check-ownership.ts";
import type { FoundResource } from "../../google/existence.ts";
import { poolName, providerName } from "../../google/full-names.ts";
import type { Outputs } from "../../google/last-outputs.ts";
import type { Checked } from "../../problems/checks.ts";
import { configSet } from "../../problems/setting-commands.ts";

/** The ids of a workload identity pool and of its provider. */
export interface IdentityIds {
  project: string;
  poolId: string;
  providerId: string;
}

export interface IdentityActions {
  pool: ImportAction;
  provider: ImportAction;
}

const provider = z.object({
  attributeCondition: z.string().default("none"),
  oidc: z.object({ issuerUri: z.string().default("none") }).optional(),
});

/**
 * Checks whether a pool and its provider exist, and who owns them. Google keeps a deleted one for 30 days.
 *
 * @param identity undefined without a workload identity.
 */
export async function checkIdentity(
  identity: IdentityIds | undefined,
  outputs: Outputs,
  adoptExisting: boolean,
): Promise<Checked<IdentityActions>> {
  if (identity === undefined) return { found: { pool: "create", provider: "create" }, problems: [] };
  const { project, poolId, providerId } = identity;
  const output = String(outputs["workloadIdentityProvider"]);
  const name = poolName(project, poolId);
  const common = {
    api: iam,
    softDeleted: true,
    renameCommand: configSet("githubPoolId", "NAME"),
  };
  const [pool, inside] = await Promise.all([
    checkOwnership(
      {
        ...common,
        name,
        kind: "an identity pool",
        isInLastOutputs: output.includes(`/workloadIdentityPools/${poolId}/`),
        describe: ({ state }) => [`its state is ${state}`],
        disownCommand: `gcloud iam workload-identity-pools update ${poolId} --project=${project} --location=global --description=`,
      },
      adoptExisting,
    ),
    checkOwnership(
      {
        ...common,
        name: providerName(name, providerId),
        kind: "a provider",
        isInLastOutputs: output.endsWith(providerName(`/workloadIdentityPools/${poolId}`, providerId)),
        describe: describeProvider,
        disownCommand: `gcloud iam workload-identity-pools providers update-oidc ${providerId} --workload-identity-pool=${poolId} --project=${project} --location=global --description=`,
      },
      adoptExisting,
    ),
  ]);
  return {
    found: { pool: pool.found, provider: inside.found },
    problems: [...pool.problems, ...inside.problems],
  };
}

function describeProvider(found: FoundResource): string[] {
  const { oidc, attributeCondition } = provider.parse(found);
  return [
    `its state is ${found.state}`,
    `its issuer is ${oidc?.issuerUri ?? "none"}`,
    `its condition is ${attributeCondition}`,
  ];
}
