import * as pulumi from "@pulumi/pulumi";
import { iam } from "../../google/apis.ts";
import { stateOf } from "../../google/existence.ts";
import { poolName, providerName } from "../../google/full-names.ts";
import { undelete } from "./undelete-pool.ts";

/** Which parts of a workload identity exist already and are to be imported. */
export interface IdentityAdoption {
  adoptPool: boolean;
  adoptProvider: boolean;
}

/** A workload identity, by the ids of its pool and of the provider in it. */
export interface Identity {
  project: string;
  poolId: string;
  providerId: string;
}

/**
 * Looks up what of an identity has to be imported rather than created: with `adoptExisting` whatever exists; without it
 * only what a destroy left soft-deleted. Google keeps its id taken for 30 days, so that it is undeleted, at up.
 */
export async function adoptIdentity(
  { project, poolId, providerId }: Identity,
  adoptExisting: boolean,
): Promise<IdentityAdoption> {
  const pool = poolName(project, poolId);
  return {
    adoptPool: await adoptable(pool, adoptExisting),
    adoptProvider: await adoptable(providerName(pool, providerId), adoptExisting),
  };
}

async function adoptable(name: string, adoptExisting: boolean): Promise<boolean> {
  // The CI accounts may not read identity pools, and have nothing to do with them.
  const state = await stateOf(iam, name, { forbiddenIsNone: true });
  if (state !== "DELETED") return state !== undefined && adoptExisting;
  const what = `${name} was deleted less than 30 days ago, and Google keeps its name taken`;
  if (pulumi.runtime.isDryRun()) {
    void pulumi.log.info(`${what}: pulumi up will undelete it and update it in place.`);
    return false;
  }
  await undelete(name);
  void pulumi.log.info(`${what}: undeleted it, and will update it in place.`);
  return true;
}
