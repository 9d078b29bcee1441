import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { iam } from "../../google/apis.ts";
import type { Fate } from "../../google/check-ownership.ts";
import { callGoogle, refusal } from "../../google/client.ts";
import { lookupError, lookUp } from "../../google/existence.ts";
import { poolName, providerName } from "../../google/full-names.ts";
import type { Identity, IdentityFates } from "./check-identity.ts";

/** Which parts of an identity are there to be imported. */
export interface IdentityAdoption {
  adoptPool: boolean;
  adoptProvider: boolean;
}

/**
 * Undeletes what of an identity is to be undeleted, at up: Google keeps its name taken for 30 days. A preview only says
 * so. The pool comes first: what is in a deleted one cannot be undeleted.
 */
export async function undeleteIdentity(
  { project, poolId, providerId }: Identity,
  { pool, provider }: IdentityFates,
): Promise<IdentityAdoption> {
  const name = poolName(project, poolId);
  const inside = providerName(name, providerId);
  const adoptPool = await undeletePart(name, pool);
  // What a deleted pool answers of its providers is no answer.
  const fate = pool === "undelete" && adoptPool ? await fateInside(inside) : provider;
  return { adoptPool, adoptProvider: await undeletePart(inside, fate) };
}

async function fateInside(name: string): Promise<Fate> {
  const found = await lookUp(iam, name);
  if (found === undefined) return "create";
  return found.state === "DELETED" ? "undelete" : "import";
}

async function undeletePart(name: string, fate: Fate): Promise<boolean> {
  if (fate !== "undelete") return fate === "import";
  const what = `${name} was deleted less than 30 days ago, and Google keeps its name taken`;
  if (pulumi.runtime.isDryRun()) {
    void pulumi.log.info(`${what}: pulumi up will undelete it and update it in place.`);
    return false;
  }
  await undelete(name);
  void pulumi.log.info(`${what}: undeleted it, and will update it in place.`);
  return true;
}

/** Waits until it is there: an import right after would not find it. */
async function undelete(name: string): Promise<void> {
  const answer = await callGoogle(iam, `${name}:undelete`, { method: "POST" });
  for (let attempt = 0; attempt < 30; attempt++) {
    // Also where it is refused: it may be the repeat of a call whose answer was lost.
    if ((await lookUp(iam, name))?.state === "ACTIVE") return;
    if (answer.status !== 200) break;
    await sleep(1000);
  }
  throw lookupError(name, `deleted, and Google answered ${refusal(answer)} when asked to undelete it`);
}
