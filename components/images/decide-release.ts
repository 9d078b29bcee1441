import type { Outputs } from "../../google/last-outputs.ts";
import type { Checked } from "../../problems/checks.ts";
import { catalogue } from "./catalogue.ts";
import { type Plan, planRelease } from "./plan.ts";
import type { RegistryTags } from "./published.ts";
import { type RecordedImage, readRecordedTags } from "./recorded-tags.ts";
import { readRegistryTags } from "./registry-tags.ts";
import type { Release } from "./tags.ts";

/** The repository, and what is published there: the settings of the same names. */
export interface ReleaseArgs extends Release {
  project: string;
  region: string;
  repositoryId: string;
  publishImages: boolean;
}

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
 * @param outputs of the stack's last `up`.
 */
export async function decideRelease(args: ReleaseArgs, outputs: Outputs): Promise<Checked<Decision>> {
  if (!args.publishImages) return { found: NOTHING, problems: [] };
  const names = catalogue.images.map(({ name }) => name);
  const reading = readRecordedTags(outputs);
  const [registry, recorded] = await Promise.all([
    readRegistryTags(registryOf(args), names, reading.then(tagsIn)),
    reading,
  ]);
  const plan = planRelease(args, registry);
  const isPublished = [...plan.images.values()].some(({ digest }) => digest !== undefined);
  return { found: { plan, registry, recorded, isPublished }, problems: [...plan.problems] };
}

/** The tags that the state has, as the registry would tell them. */
function tagsIn(recorded: Decision["recorded"]): RegistryTags {
  const digests = ({ tags }: RecordedImage) =>
    [...tags].flatMap(([tag, { digest }]) => (digest === undefined ? [] : [[tag, digest] as const]));
  return new Map([...recorded].map(([image, state]) => [image, new Map(digests(state))]));
}

const NOTHING: Decision = {
  plan: { images: new Map(), candidate: undefined, marks: [], race: undefined, notes: [], problems: [] },
  registry: new Map(),
  recorded: new Map(),
  isPublished: false,
};

/** The repository that a stack's settings name. */
export function registryOf({ project, region, repositoryId }: ReleaseArgs) {
  return { project, location: region, repositoryId };
}
