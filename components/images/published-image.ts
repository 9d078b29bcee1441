import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as path from "node:path";
import { buildTag } from "./tags.ts";

/** An image of the catalogue, images.json. */
export interface CatalogueImage {
  /** Name of the image in the repository. */
  name: string;
  /** Build context, relative to the folder of the sources. */
  context: string;
  /** Dockerfile, relative to the context. */
  dockerfile: string;
  /**
   * Stage of the Dockerfile that does the work, where it has several: with `buildCache: registry` it is published too,
   * since an image carries the layers of its last stage alone.
   */
  cacheStage?: string | undefined;
}

export interface PublishedImageArgs {
  /** What to build. */
  image: CatalogueImage;
  /** Folder of the sources; relative, so that the state is the same on every machine. */
  sourceDir: string;
  /** Repository to push to, without a scheme: `us-central1-docker.pkg.dev/my-project/my-repository`. */
  registryUrl: pulumi.Input<string>;
  /** Platform of the image, such as `linux/amd64`. */
  platform: string;
  /** Build arguments. They end in the image's history: never a secret. */
  buildArgs?: Readonly<Record<string, string>>;
  /** Reuse the layers of the last published build instead of local ones only, and publish them with this one. */
  cacheFromRegistry?: boolean;
  /** Build at preview too, without pushing. */
  buildOnPreview?: boolean;
}

/**
 * One image: built and pushed once, under a fixed tag, so that a new version, commit or date with
 * unchanged sources builds nothing; then published under any number of tags, all on one digest.
 */
export class PublishedImage extends pulumi.ComponentResource {
  /** Name of the image in the catalogue. */
  public readonly imageName: string;
  /** The build by digest, `host/project/repository/image@sha256:...`; known once it is pushed. */
  public readonly reference: pulumi.Output<string>;

  private readonly logicalName: string;
  private readonly repositoryPath: pulumi.Output<string>;

  constructor(name: string, args: PublishedImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:PublishedImage", name, {}, opts);
    const { image, sourceDir, platform, buildArgs = {}, cacheFromRegistry, buildOnPreview } = args;
    this.logicalName = name;
    this.imageName = image.name;
    this.repositoryPath = pulumi.interpolate`${args.registryUrl}/${image.name}`;
    const context = path.join(sourceDir, image.context);
    const imageName = pulumi.interpolate`${this.repositoryPath}:${buildTag}`;
    const declared = {
      context,
      dockerfile: path.join(context, image.dockerfile),
      platform,
      // Without the argument BuildKit publishes no cache with the image, and there is nothing to reuse.
      args: cacheFromRegistry ? { BUILDKIT_INLINE_CACHE: "1", ...buildArgs } : buildArgs,
    };
    const onPreview = buildOnPreview && { buildOnPreview };
    const stages = cacheFromRegistry && image.cacheStage !== undefined ? [image.cacheStage] : [];
    const cached = stages.map((target) => {
      const stageName = pulumi.interpolate`${this.repositoryPath}:${buildTag}-${target}`;
      return new docker.Image(
        `${name}-${target}`,
        {
          imageName: stageName,
          build: { ...declared, target, cacheFrom: { images: [stageName] } },
          ...onPreview,
        },
        { parent: this },
      );
    });
    const build = new docker.Image(
      name,
      {
        imageName,
        build: {
          ...declared,
          ...(cacheFromRegistry && {
            cacheFrom: { images: [...cached.map((stage) => stage.imageName), imageName] },
          }),
        },
        ...onPreview,
      },
      { parent: this },
    );
    this.reference = build.repoDigest;
    this.registerOutputs({ reference: this.reference });
  }

  /**
   * Puts tags on a pushed build.
   *
   * @param tags the tags, such as `1.4.2` and `latest`.
   * @param reference the build by digest. Give one that is known only once every image of the
   *   release is pushed, and a release is all or nothing.
   * @returns the tagged references.
   */
  public publish(tags: readonly string[], reference: pulumi.Input<string>): pulumi.Output<string>[] {
    // On a machine that built nothing the image is not local: pull it, by digest, when tags change.
    const local = new docker.RemoteImage(
      this.logicalName,
      { name: reference, keepLocally: true, pullTriggers: [...tags] },
      { parent: this },
    );
    return tags.map((tag) => {
      const tagged = new docker.Tag(
        `${this.logicalName}-${tag}`,
        {
          sourceImage: local.name,
          targetImage: pulumi.interpolate`${this.repositoryPath}:${tag}`,
          // With the tags of the release: on a fresh machine a new version names the image anew.
          tagTriggers: [reference, ...tags],
        },
        { parent: this },
      );
      const pushed = new docker.RegistryImage(
        `${this.logicalName}-${tag}`,
        { name: tagged.targetImage, keepRemotely: true, triggers: { digest: reference } },
        { parent: this },
      );
      return pushed.name;
    });
  }
}
