import type { Settings } from "../../settings/schema.ts";
import { problemsError } from "../../problems/problem.ts";
import { catalogue } from "./catalogue.ts";
import { type Plan, planRelease } from "./plan.ts";
import type { RegistryTags } from "./published.ts";
import { type RecordedImage, readRecordedTags } from "./recorded-tags.ts";
import { readRegistryTags } from "./registry-tags.ts";

/** What a run publishes, and what that was decided by. */
export interface Decision {
  plan: Plan;
  registry: RegistryTags;
  /** What the state has of each image's tags; empty but for a version that is published already. */
  recorded: ReadonlyMap<string, RecordedImage>;
}

/**
 * Decides what a run publishes by what the registry holds: at preview as at `up`. A build of main needs no question, since
 * its tags are its own.
 *
 * @throws one error with everything that keeps it from being published.
 */
export async function decideRelease(settings: Settings): Promise<Decision> {
  const names = catalogue.images.map(({ name }) => name);
  const asks = settings.version !== undefined || (settings.revision ?? settings.releaseDate) === undefined;
  const registry: RegistryTags = asks
    ? await readRegistryTags(registryOf(settings), names)
    : new Map(names.map((name) => [name, new Map()]));
  const plan = planRelease(settings, registry);
  if (plan.problems.length > 0) throw problemsError(plan.problems);
  const isPublished = [...plan.images.values()].some(({ digest }) => digest !== undefined);
  return { plan, registry, recorded: isPublished ? await readRecordedTags() : new Map() };
}

/** The repository that a stack's settings name. */
export function registryOf({ project, region, repositoryId }: Settings) {
  return { project, location: region, repositoryId };
}
