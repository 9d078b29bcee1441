import { z } from "zod";
import { cleanupPolicy, deletedVersions } from "../../../../components/repository/cleanup-rules.ts";
import type { Context } from "../../support/context.ts";
import type { Repository } from "../../support/resources.ts";
import { imagesBelow } from "./contents.ts";
import { registryPath } from "./names.ts";

/** The versions that cleanup selected in one repository. */
export interface CleanedUp {
  repository: string;
  /** Versions were only logged, not deleted. */
  dryRun: boolean;
  /** `IMAGE@sha256:...` */
  versions: string[];
}

/**
 * Runs the cleanup policies of all repositories, as Google's background job does about once a day
 * (https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview).
 */
export async function cleanUp(context: Context): Promise<CleanedUp[]> {
  const done: CleanedUp[] = [];
  for (const repository of Object.values(context.store.state.repositories))
    done.push(await cleanUpOne(context, repository));
  return done;
}

async function cleanUpOne(
  context: Context,
  { name, cleanupPolicies = {}, cleanupPolicyDryRun: dryRun = false }: Repository,
): Promise<CleanedUp> {
  const path = registryPath(name);
  const policies = z.array(cleanupPolicy).parse(Object.values(cleanupPolicies));
  const versions = (await imagesBelow(context, path)).flatMap((each) => each.versions);
  const chosen = deletedVersions(
    versions.map(({ image, pushed, ...version }) => ({
      ...version,
      image: image.slice(path.length + 1),
      uploaded: pushed,
    })),
    policies,
    context.now(),
    context.store.state.childDeletion,
  );
  // Indexes first: their images cannot be deleted before.
  chosen.sort((a, b) => b.children.length - a.children.length);
  for (const { image, digest } of chosen) {
    context.log(`cleanup of ${name}: ${dryRun ? "would delete" : "deletes"} ${image}@${digest}`);
    if (!dryRun) await context.storage.deleteVersion(`${path}/${image}`, digest);
  }
  return { repository: name, dryRun, versions: chosen.map(({ image, digest }) => `${image}@${digest}`) };
}
