import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { callGoogle, refusal } from "../google/client.ts";
import { artifactRegistry, type GoogleApi, iam, organizationPolicy } from "../google/apis.ts";
import { problemsError } from "../problems/problem.ts";
import { exceptionName, poolName, providerName, repositoryName } from "../google/full-names.ts";
import type { Settings } from "../settings/schema.ts";

/** Ids of the workload identity pool and of its provider for GitHub. */
export const poolId = "hyperion-github";
export const providerId = "github";

/** What exists already and is to be imported. */
export interface Adoption {
  repository: boolean;
  pool: boolean;
  provider: boolean;
  /** The project's exception from domain restricted sharing. */
  exception: boolean;
}

/**
 * Looks up what has to be imported rather than created.
 *
 * With `adoptExisting` that is whatever exists. Without it, only an identity pool that a destroy
 * left soft-deleted: Google keeps its id taken for 30 days, so it is undeleted (at up) and imported.
 */
export async function adoption(settings: Settings): Promise<Adoption> {
  const { project, region, repositoryId, adoptExisting } = settings;
  const pool = poolName(project, poolId);
  const federated = settings.githubRepository !== undefined;
  return {
    repository:
      adoptExisting &&
      (await stateOf(artifactRegistry, repositoryName(project, region, repositoryId))) !== undefined,
    pool: federated && (await adoptable(pool, adoptExisting)),
    provider: federated && (await adoptable(providerName(pool, providerId), adoptExisting)),
    exception:
      adoptExisting &&
      settings.publicAccess &&
      settings.overrideDomainRestrictedSharing &&
      (await stateOf(organizationPolicy, exceptionName(project), { quotaProject: project })) !== undefined,
  };
}

async function adoptable(path: string, adoptExisting: boolean): Promise<boolean> {
  const state = await stateOf(iam, path, { refused: "nothing to adopt" });
  if (state !== "DELETED") return state !== undefined && adoptExisting;
  const what = `${path} was deleted less than 30 days ago, and Google keeps its name taken`;
  if (pulumi.runtime.isDryRun()) {
    void pulumi.log.info(`${what}: pulumi up will undelete it and update it in place.`);
    return false;
  }
  await undelete(path);
  void pulumi.log.info(`${what}: undeleted it, and will update it in place.`);
  return true;
}

const resource = z.object({ state: z.string().default("ACTIVE") });

/**
 * The state of a resource; undefined when there is none, also where its API is not enabled yet. The CI accounts may not
 * read identity pools, and have nothing to do with them: what is `refused` them is then nothing to adopt.
 */
async function stateOf(
  api: GoogleApi,
  path: string,
  options: { quotaProject?: string; refused?: "nothing to adopt" } = {},
): Promise<string | undefined> {
  const { refused, ...request } = options;
  const answer = await callGoogle(api, path, request);
  const { status, body } = answer;
  if (status === 200) return resource.parse(body).state;
  if (status === 404 || JSON.stringify(body).includes("SERVICE_DISABLED")) return undefined;
  if (status === 403 && refused === "nothing to adopt") return undefined;
  throw lookupError(path, `Google answered ${refusal(answer)} to the question whether it exists`);
}

/** Undeletes, and waits until it is there: an import right after would not find it. */
async function undelete(path: string): Promise<void> {
  const answer = await callGoogle(iam, `${path}:undelete`, { method: "POST" });
  for (let attempt = 0; attempt < 30; attempt++) {
    // Also where it is refused: it may be the repeat of a call whose answer was lost.
    if ((await stateOf(iam, path)) === "ACTIVE") return;
    if (answer.status !== 200) break;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw lookupError(path, `deleted, and Google answered ${refusal(answer)} when asked to undelete it`);
}

function lookupError(where: string, found: string): Error {
  return problemsError([
    {
      where,
      found,
      allowed: "an account that may read and create it",
      fix: "gcloud auth application-default login",
    },
  ]);
}
