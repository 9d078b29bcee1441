import { Image } from "@pulumi/docker/image.js";
import * as pulumi from "@pulumi/pulumi";
import * as path from "node:path";
import type { CatalogueImage } from "./catalogue.ts";
import { platformTag } from "./tags/names.ts";

export interface ImageBuildArgs {
  image: CatalogueImage;
  /** Source folder. A relative path makes the state the same on every machine. */
  sourceDir: string;
  /** Registry URL without a scheme: `us-central1-docker.pkg.dev/my-project/my-repository`. */
  registryUrl: pulumi.Input<string>;
  /** Platforms of the image, such as `linux/amd64`. */
  platforms: readonly string[];
  /** Build arguments. The image's history contains them, so they must not be secret. */
  buildArgs: Readonly<Record<string, pulumi.Input<string>>>;
  /** Reuse the layers of the last published build, and publish this build's layers. */
  cacheFromRegistry: boolean;
  /** Platform that is built at preview too, without a push. */
  buildOnPreview: string | undefined;
}

/**
 * Builds and pushes an image once for each platform. The tags are fixed, so that a new version, commit or date of the
 * same sources builds nothing.
 */
export class ImageBuild extends pulumi.ComponentResource {
  /** The digest of the pushed image for each platform. */
  public readonly digests: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: ImageBuildArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:ImageBuild", name, {}, opts);
    const builds = args.platforms.map((platform) => [platform, this.build(name, args, platform)] as const);
    this.digests = pulumi.output(Object.fromEntries(builds));
    this.registerOutputs({ digests: this.digests });
  }

  /** Builds and pushes one platform, after the cached stage if there is one. */
  private build(name: string, args: ImageBuildArgs, platform: string): pulumi.Output<string> {
    const { image, sourceDir, buildArgs, cacheFromRegistry } = args;
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
            // BuildKit publishes its cache with the image only if this argument is set.
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
    // `host/project/repository/image@sha256:...`
    return build.repoDigest.apply((reference) => reference.replace(/^.*@/, ""));
  }
}
