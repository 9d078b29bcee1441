import type { ImagePlan } from "./plan.ts";
import type { RecordedImage, RecordedTag } from "./recorded-tags.ts";

/** A tag as resources of the stack. */
export interface DeclaredTag extends RecordedTag {
  tag: string;
  /** The step of the release that sets it; undefined: none does, it stays as the state has it. */
  step: 0 | 1 | 2 | undefined;
}

/** The resources that stand for an image's tags. */
export interface DeclaredTags {
  /** The image to have in the local engine; undefined: there is nothing to be tagged. */
  pull: Pick<RecordedTag, "digest" | "triggers"> | undefined;
  tags: readonly DeclaredTag[];
}

/** What the tags of an image are declared by. */
export interface Known {
  /** The image's tags. */
  registry: ReadonlyMap<string, string>;
  /** What the state has of them. */
  recorded: RecordedImage | undefined;
  /** The run publishes nothing new: what else the state has stays declared. */
  keep: boolean;
  /** A text that no earlier run has used: with it among its triggers a resource is made anew. */
  again: string;
}

/**
 * Which tags of an image are resources, and with which values, so that a preview has a line for those that are set and
 * for no others.
 *
 * Where the state and the registry agree about a tag, it is declared as the state has it but for its digest, and the
 * engine sees whether that is another one. Where they do not, it is set anew, on whatever machine. What a published
 * version has in the registry and not in the state needs nothing.
 */
export function declareTags(
  { digest, steps }: ImagePlan,
  { registry, recorded, keep, again }: Known,
): DeclaredTags {
  const planned = ([0, 1, 2] as const).flatMap((step) => steps[step].map((tag) => ({ tag, step })));
  const set = planned.filter(({ tag }) => digest === undefined || registry.get(tag) !== digest);
  const agreed = (tag: string): RecordedTag | undefined => {
    const state = recorded?.tags.get(tag);
    return state?.digest !== undefined && state.digest === registry.get(tag) ? state : undefined;
  };
  const anew = set.map(({ tag }) => tag).filter((tag) => digest !== undefined || agreed(tag) === undefined);
  const others = [...(keep ? (recorded?.tags ?? []) : [])].filter(
    ([tag, state]) => state.digest !== undefined && !set.some((one) => one.tag === tag),
  );
  return {
    pull: set.length === 0 ? (keep ? recorded?.pull : undefined) : { digest, triggers: pullTriggers() },
    tags: [
      ...set.map(({ tag, step }): DeclaredTag => ({ ...tagTriggers(tag), tag, digest, step })),
      ...others.map(([tag, state]): DeclaredTag => ({ ...state, tag, step: undefined })),
    ],
  };

  function tagTriggers(tag: string): Pick<RecordedTag, "triggers" | "again"> {
    if (recorded?.tags.has(tag) !== true) return { triggers: [tag], again: undefined };
    const { triggers, again: before } = agreed(tag) ?? { triggers: [tag, again], again };
    return { triggers, again: before };
  }

  function pullTriggers(): readonly string[] {
    if (recorded?.pull === undefined) return set.map(({ tag }) => tag);
    return anew.length > 0 ? [...anew, again] : recorded.pull.triggers;
  }
}
