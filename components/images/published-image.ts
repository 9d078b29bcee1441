import { Image } from "@pulumi/docker/image.js";
import { RegistryImage } from "@pulumi/docker/registryImage.js";
import { RemoteImage } from "@pulumi/docker/remoteImage.js";
import { Tag } from "@pulumi/docker/tag.js";
import * as pulumi from "@pulumi/pulumi";
import * as path from "node:path";
import type { DeclaredTag, DeclaredTags } from "./declared-tags.ts";
import { BUILD_TAG } from "./tags.ts";

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

/** What it waits for, beside its values. */
interface Ordered {
  after: pulumi.Input<pulumi.Resource[]>;
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
  /** The image that tags are put on, where any are; by default there are none. */
  pull?: (NonNullable<DeclaredTags["pull"]> & Ordered) | undefined;
  tags?: readonly (DeclaredTag & Ordered)[];
}

/**
 * One image: built and pushed once, under a fixed tag, so that a new version, commit or date with unchanged sources
 * builds nothing; then published under any number of tags, each on one digest: that of the build, or of a version that is
 * published already.
 */
export class PublishedImage extends pulumi.ComponentResource {
  /** The build by digest, `host/project/repository/image@sha256:...`; known once it is pushed. */
  public readonly build: pulumi.Output<string>;
  /** By tag, the reference `host/project/repository/image:tag`; known once the tag is set. */
  public readonly published: ReadonlyMap<string, pulumi.Output<string>>;

  constructor(name: string, args: PublishedImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:PublishedImage", name, {}, opts);
    const { image, sourceDir, platform, buildArgs = {}, cacheFromRegistry, buildOnPreview } = args;
    const repositoryPath = pulumi.interpolate`${args.registryUrl}/${image.name}`;
    const context = path.join(sourceDir, image.context);
    const imageName = pulumi.interpolate`${repositoryPath}:${BUILD_TAG}`;
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
      const stageName = pulumi.interpolate`${repositoryPath}:${BUILD_TAG}-${target}`;
      return new Image(
        `${name}-${target}`,
        {
          imageName: stageName,
          build: { ...declared, target, cacheFrom: { images: [stageName] } },
          ...onPreview,
        },
        { parent: this },
      );
    });
    const build = new Image(
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
    this.build = build.repoDigest;
    const reference = (digest: string | undefined): pulumi.Output<string> =>
      digest === undefined ? build.repoDigest : pulumi.interpolate`${repositoryPath}@${digest}`;
    const { pull, tags = [] } = args;
    // On a machine that built nothing the image is not local: pull it, by digest, when tags change.
    const local =
      pull &&
      new RemoteImage(
        name,
        { name: reference(pull.digest), keepLocally: true, pullTriggers: [...pull.triggers] },
        { parent: this, dependsOn: pull.after },
      );
    this.published = new Map(
      tags.map(({ tag, digest, triggers, again, step, after }) => {
        const tagged = new Tag(
          `${name}-${tag}`,
          {
            sourceImage: reference(digest),
            targetImage: pulumi.interpolate`${repositoryPath}:${tag}`,
            tagTriggers: [reference(digest), ...triggers],
          },
          { parent: this, dependsOn: step === undefined || !local ? [] : [local] },
        );
        const pushed = new RegistryImage(
          `${name}-${tag}`,
          {
            name: tagged.targetImage,
            keepRemotely: true,
            triggers: { digest: reference(digest), ...(again !== undefined && { again }) },
          },
          { parent: this, dependsOn: after },
        );
        return [tag, pushed.name];
      }),
    );
    this.registerOutputs({ reference: this.build });
  }
}
