import { Image } from "@pulumi/docker/image.js";
import * as pulumi from "@pulumi/pulumi";
import * as path from "node:path";
import type { CatalogueImage } from "./catalogue.ts";
import { platformTag } from "./tags/names.ts";

export interface PublishedImageArgs {
  /** What to build. */
  image: CatalogueImage;
  /** Folder of the sources; relative, so that the state is the same on every machine. */
  sourceDir: string;
  /** Repository to push to, without a scheme: `us-central1-docker.pkg.dev/my-project/my-repository`. */
  registryUrl: pulumi.Input<string>;
  /** Platforms of the image, such as `linux/amd64`. */
  platforms: readonly string[];
  /** Build arguments. They end in the image's history: never a secret. Default: none. */
  buildArgs?: Readonly<Record<string, string>>;
  /** Reuse the layers of the last published build instead of local ones only, and publish them with this one. */
  cacheFromRegistry?: boolean;
  /** Platform to build at preview too, without pushing. Default: none. */
  buildOnPreview?: string | undefined;
}

/**
 * One image: built and pushed once for each platform, under a fixed tag, so that a new version, commit or date with
 * unchanged sources builds nothing.
 */
export class PublishedImage extends pulumi.ComponentResource {
  /** By platform, the digest of the image that was pushed. */
  public readonly digests: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: PublishedImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:PublishedImage", name, {}, opts);
    const builds = args.platforms.map((platform) => [platform, this.build(name, args, platform)] as const);
    this.digests = pulumi.output(Object.fromEntries(builds));
    this.registerOutputs({ digests: this.digests });
  }

  /** Builds and pushes one platform, and before it, if its layers are published, the stage that does the work. */
  private build(name: string, args: PublishedImageArgs, platform: string): pulumi.Output<string> {
    const { image, sourceDir, buildArgs = {}, cacheFromRegistry = false } = args;
    const tagged = (tag: string) => pulumi.interpolate`${args.registryUrl}/${image.name}:${tag}`;
    const context = path.join(sourceDir, image.context);
    const declare = (stage: string | undefined, caches: pulumi.Output<string>[]): Image => {
      const tag = platformTag(platform, stage === undefined ? {} : { stage });
      const imageName = tagged(tag);
      return new Image(
        tag.replace(/^build/, name),
        {
          imageName,
          build: {
            context,
            dockerfile: path.join(context, image.dockerfile),
            platform,
            ...(stage !== undefined && { target: stage }),
            // Without the argument BuildKit publishes no cache with the image, and there is nothing to reuse.
            args: cacheFromRegistry ? { BUILDKIT_INLINE_CACHE: "1", ...buildArgs } : buildArgs,
            ...(cacheFromRegistry && { cacheFrom: { images: [...caches, imageName] } }),
          },
          ...(args.buildOnPreview === platform && { buildOnPreview: true }),
        },
        { parent: this },
      );
    };
    const stage =
      cacheFromRegistry && image.cacheStage !== undefined ? declare(image.cacheStage, []) : undefined;
    const build = declare(undefined, stage === undefined ? [] : [stage.imageName]);
    return build.repoDigest.apply(digestOf);
  }
}

/** The digest of a reference, `host/project/repository/image@sha256:...`. */
function digestOf(reference: string): string {
  return reference.replace(/^.*@/, "");
}
