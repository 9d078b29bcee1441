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
  /** What the state has of each image's tags. */
  recorded: ReadonlyMap<string, RecordedImage>;
  /** The version is published already: the run publishes nothing new. */
  isPublished: boolean;
}

/**
 * Decides what a run publishes by what the registry holds and the state has: at preview as at `up`.
 *
 * @throws one error with everything that keeps it from being published.
 */
export async function decideRelease(settings: Settings): Promise<Decision> {
  const names = catalogue.images.map(({ name }) => name);
  const [registry, recorded] = await Promise.all([
    readRegistryTags(registryOf(settings), names),
    readRecordedTags(),
  ]);
  const plan = planRelease(settings, registry);
  if (plan.problems.length > 0) throw problemsError(plan.problems);
  const isPublished = [...plan.images.values()].some(({ digest }) => digest !== undefined);
  return { plan, registry, recorded, isPublished };
}

/** The repository that a stack's settings name. */
export function registryOf({ project, region, repositoryId }: Settings) {
  return { project, location: region, repositoryId };
}
