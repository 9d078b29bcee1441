import { z } from "zod";
import type { ImageRegistry } from "../../components/images/registry/image-registry.ts";
import {
  indexPlatforms,
  type PlatformImage,
  platformImages,
} from "../../components/images/registry/manifests.ts";
import { platformTag } from "../../components/images/tags/names.ts";

/** The output of Pulumi's commands for a stack; taken from Pulumi 3.274. */
export interface StackRecords {
  /** `pulumi stack history --json` */
  history: string;
  /** `pulumi stack export` */
  exported: string;
  /** `pulumi stack output images --json` */
  images: string;
}

const history = z.array(
  z.object({ message: z.string().default(""), startTime: z.coerce.date(), endTime: z.coerce.date() }),
);

const exported = z.object({
  deployment: z.object({
    resources: z.array(z.looseObject({ type: z.string(), modified: z.coerce.date().optional() })).default([]),
  }),
});

const dockerImage = z.object({
  inputs: z.object({ imageName: z.string(), build: z.object({ platform: z.string() }) }),
  outputs: z.object({ repoDigest: z.string() }),
});

const imagesOutput = z.record(z.string(), z.object({ digest: z.string() }));

/** Times in the history are whole seconds. */
const SECOND = 1000;

/** The message of a run's updates; publish-ref.sh sets it. */
const runMessage = (run: string): string => `run ${run}`;

/**
 * The digests that the updates of a run pushed, by image and platform. An image that another run pushed is left out, even if
 * this run published it: a run attests only its own builds.
 */
export function builtPlatforms(records: StackRecords, run: string): Map<string, Map<string, string>> {
  const updates = history
    .parse(JSON.parse(records.history))
    .filter(({ message }) => message === runMessage(run));
  const { resources } = exported.parse(JSON.parse(records.exported)).deployment;
  const built = new Map<string, Map<string, string>>();
  for (const { type, modified, ...rest } of resources) {
    const isOwn = updates.some(
      ({ startTime, endTime }) =>
        modified !== undefined && modified >= startTime && modified.getTime() < endTime.getTime() + SECOND,
    );
    if (type !== "docker:index/image:Image" || !isOwn) continue;
    const { inputs, outputs } = dockerImage.parse(rest);
    const { platform } = inputs.build;
    const [, image = "", tag = ""] = /([^/]+):([^:/]+)$/.exec(inputs.imageName) ?? [];
    // A stage is published only for its cache.
    if (tag !== platformTag(platform)) continue;
    const platforms = built.get(image) ?? new Map<string, string>();
    built.set(image, platforms.set(platform, outputs.repoDigest.replace(/^.*@/, "")));
  }
  return built;
}

/** An image that a run built. */
export interface BuiltImage {
  name: string;
  digest: string;
  platforms: PlatformImage[];
}

/**
 * The published images of which the run built every platform.
 */
export async function builtImages(
  records: StackRecords,
  run: string,
  registry: ImageRegistry,
): Promise<BuiltImage[]> {
  const built = builtPlatforms(records, run);
  const published = Object.entries(imagesOutput.parse(JSON.parse(records.images)));
  const all = await Promise.all(
    published.map(async ([name, { digest }]) => {
      const own = built.get(name);
      if (own === undefined) return [];
      const platforms = await platformImages(registry, name, digest);
      const isOwn = async (image: PlatformImage): Promise<boolean> => {
        const pushed = own.get(image.platform);
        if (pushed === undefined || pushed === image.digest) return pushed !== undefined;
        // An engine can push an index that holds the image and its attestations.
        return (await indexPlatforms(registry, name, pushed)).get(image.platform) === image.digest;
      };
      const areOwn = await Promise.all(platforms.map(isOwn));
      return areOwn.every(Boolean) ? [{ name, digest, platforms }] : [];
    }),
  );
  return all.flat();
}
