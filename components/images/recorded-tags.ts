import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Outputs, ownStack } from "../../google/last-outputs.ts";

/** A tag that the stack's state holds. */
export interface RecordedTag {
  /** What it was pushed with; undefined: a refresh has found it gone, or a run was killed before it was pushed. */
  digest: string | undefined;
  /** What naming it was declared with, beside the digest. */
  triggers: readonly string[];
  /** What pushing it was declared with, beside the digest. */
  again: string | undefined;
}

/** What the stack's state holds of an image's tags. */
export interface RecordedImage {
  /** The image as it was last pulled, to be tagged. */
  pull: Pick<RecordedTag, "digest" | "triggers"> | undefined;
  /** By tag. */
  tags: ReadonlyMap<string, RecordedTag>;
}

const triggers = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const remoteImage = z.object({ name: z.string(), pullTriggers: triggers });
const tag = z.object({ targetImage: z.string(), tagTriggers: triggers });
const registryImage = z.object({
  name: z.string(),
  triggers: z.object({ digest: z.string(), again: z.string().optional() }),
});

const resourceOutputs = z.object({
  outputs: z.record(z.string(), z.object({ type: z.string(), outputs: z.record(z.string(), z.unknown()) })),
});

/**
 * What the state of this stack holds of the images' tags, by image. The engine answers from the state, as it does for
 * policies, without a resource that previews would show.
 *
 * @param outputs of the stack's last `up`. Without any there may be no state, and of none the engine cannot read the
 *   resources: it ends there with a panic (3.274.1).
 */
export async function readRecordedTags(outputs: Outputs): Promise<ReadonlyMap<string, RecordedImage>> {
  if (Object.keys(outputs).length === 0) return new Map();
  const answer: unknown = await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {
    stackName: ownStack(),
  });
  return recordedImages(Object.values(resourceOutputs.parse(answer).outputs));
}

/** The tags among a state's resources. */
function recordedImages(
  resources: readonly { type: string; outputs: Record<string, unknown> }[],
): Map<string, RecordedImage> {
  const images = new Map<string, { pull: RecordedImage["pull"]; tags: Map<string, RecordedTag> }>();
  const of = (type: string): Record<string, unknown>[] =>
    resources.flatMap((one) => (one.type === `docker:index/${type}` ? [one.outputs] : []));
  const imageOf = (reference: string) => {
    const image = reference.replace(/^.*\//, "").replace(/[:@].*$/, "");
    const found = images.get(image) ?? { pull: undefined, tags: new Map() };
    images.set(image, found);
    return found;
  };
  for (const outputs of of("remoteImage:RemoteImage")) {
    const { name, pullTriggers } = remoteImage.parse(outputs);
    imageOf(name).pull = { digest: digestOf(name), triggers: pullTriggers };
  }
  const pushed = new Map(
    of("registryImage:RegistryImage").map((outputs) => {
      const { name, triggers } = registryImage.parse(outputs);
      return [name, triggers];
    }),
  );
  for (const outputs of of("tag:Tag")) {
    const { targetImage, tagTriggers } = tag.parse(outputs);
    const push = pushed.get(targetImage);
    imageOf(targetImage).tags.set(targetImage.replace(/^.*:/, ""), {
      digest: push && digestOf(push.digest),
      triggers: tagTriggers.filter((trigger) => !trigger.includes("@")),
      again: push?.again,
    });
  }
  return images;
}

/** The digest of a reference, `host/project/repository/image@sha256:...`. */
export function digestOf(reference: string): string {
  return reference.replace(/^.*@/, "");
}
