import type { ImagePlan } from "./plan.ts";
import type { RecordedImage } from "./recorded-tags.ts";

/** A tag as a resource of the stack. */
export interface DeclaredTag {
  tag: string;
  /** What it stands on; undefined: the build in hand. */
  digest: string | undefined;
  /** What has it set anew when they change, beside the digest. */
  triggers: readonly string[];
  /** The step of the release that sets it; undefined: none does, it stays as the state has it. */
  step: 0 | 1 | 2 | undefined;
}

/** The resources that stand for an image's tags. */
export interface DeclaredTags {
  /** The image to have in the local engine; undefined: there is nothing to be tagged. */
  pull: Pick<DeclaredTag, "digest" | "triggers"> | undefined;
  tags: readonly DeclaredTag[];
  /** Tags that the state has where they should be and that are gone from the registry, which only a refresh tells the engine. */
  gone: readonly string[];
}

/**
 * Which tags of an image are resources, and with which values, so that a preview has a line for those that are set and
 * for no others.
 *
 * A tag on the build in hand is declared always: the engine sees whether that build is a new one. Of a published version
 * those are declared that the registry lacks, and those of the state exactly as they are there, whatever they stand on;
 * what is in the registry and not in the state needs nothing.
 *
 * @param registry the image's tags.
 * @param recorded what the state has of the image, where the version is published.
 */
export function declareTags(
  { digest, steps }: ImagePlan,
  registry: ReadonlyMap<string, string>,
  recorded: RecordedImage | undefined,
): DeclaredTags {
  const planned = ([0, 1, 2] as const).flatMap((step) => steps[step].map((tag) => ({ tag, step })));
  const lacking = planned.filter(({ tag }) => digest === undefined || registry.get(tag) !== digest);
  const inState = (tag: string): boolean =>
    digest !== undefined && recorded?.tags.get(tag)?.digest === digest;
  const set = lacking.filter(({ tag }) => !inState(tag));
  const triggers = set.map(({ tag }) => tag);
  const kept = [...(recorded?.tags ?? [])].filter(([tag]) => !triggers.includes(tag));
  return {
    pull: set.length > 0 ? { digest, triggers } : recorded?.pull,
    tags: [
      ...set.map(({ tag, step }) => ({ tag, digest, triggers, step })),
      ...kept.map(([tag, one]) => ({ tag, ...one, step: undefined })),
    ],
    gone: lacking.filter(({ tag }) => inState(tag)).map(({ tag }) => tag),
  };
}
