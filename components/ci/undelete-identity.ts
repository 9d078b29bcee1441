import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { iam } from "../../google/apis.ts";
import type { ImportAction } from "../../google/check-ownership.ts";
import { callGoogle, describeAnswer } from "../../google/client.ts";
import { lookupError, lookUp } from "../../google/existence.ts";
import { poolName, providerName } from "../../google/full-names.ts";
import type { IdentityIds, IdentityActions } from "./check-identity.ts";

/** The parts of an identity to import. */
export interface IdentityAdoption {
  adoptPool: boolean;
  adoptProvider: boolean;
}

/**
 * Undeletes the deleted parts of an identity at `up`, because Google keeps their names taken for 30 days. A preview only
 * logs it. The pool comes first: Google undeletes no provider in a deleted pool.
 */
export async function undeleteIdentity(
  { project, poolId, providerId }: IdentityIds,
  { pool, provider }: IdentityActions,
): Promise<IdentityAdoption> {
  const name = poolName(project, poolId);
  const inside = providerName(name, providerId);
  const adoptPool = await undeletePart(name, pool);
  // The earlier look-up could not see a provider in a deleted pool.
  const action = pool === "undelete" && adoptPool ? await providerAction(inside) : provider;
  return { adoptPool, adoptProvider: await undeletePart(inside, action) };
}

async function providerAction(name: string): Promise<ImportAction> {
  const found = await lookUp(iam, name);
  if (found === undefined) return "create";
  return found.state === "DELETED" ? "undelete" : "import";
}

async function undeletePart(name: string, action: ImportAction): Promise<boolean> {
  if (action !== "undelete") return action === "import";
  const what = `${name} was deleted less than 30 days ago, and Google keeps its name taken`;
  if (pulumi.runtime.isDryRun()) {
    void pulumi.log.info(`${what}: pulumi up will undelete it and update it in place.`);
    return false;
  }
  await undelete(name);
  void pulumi.log.info(`${what}: undeleted it, and will update it in place.`);
  return true;
}

/** Waits until Google has undeleted it, because an import right after the request would not find it. */
async function undelete(name: string): Promise<void> {
  const answer = await callGoogle(iam, `${name}:undelete`, { method: "POST" });
  for (let attempt = 0; attempt < 30; attempt++) {
    // Also checked after an error, because the first answer may have been lost.
    if ((await lookUp(iam, name))?.state === "ACTIVE") return;
    if (answer.status !== 200) break;
    await sleep(1000);
  }
  throw lookupError(name, `deleted, and Google answered ${describeAnswer(answer)} when asked to undelete it`);
}
