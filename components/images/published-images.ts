import { Provider } from "@pulumi/docker/provider.js";
import * as pulumi from "@pulumi/pulumi";
import type { RepositoryPlace } from "../../google/full-names.ts";
import type { Checked } from "../../problems/checks.ts";
import { messageOf } from "../../problems/wording.ts";
import { catalogue } from "./catalogue.ts";
import { confirmLogin, requireHelper } from "./confirm-login.ts";
import { registryHost } from "./docker/login.ts";
import { knownValue } from "./known-value.ts";
import { ImageBuild } from "./image-build.ts";
import { ArtifactRegistryTags } from "./registry/artifact-registry-tags.ts";
import { googleRegistry } from "./registry/image-registry.ts";
import { makeIndex, putIndex } from "./registry/manifests.ts";
import { describeChanges } from "./tags/messages.ts";
import { BUILD_TAG, commitTag, EDGE_TAG, LATEST, lines, ownTags, type Release } from "./tags/names.ts";
import type { TagResult } from "./tags/run.ts";
import { type Build, setTags } from "./tags/set-tags.ts";
import { TagCopy } from "./tags/store.ts";
import { type RegistryTags, versionDigests } from "./tags/versions.ts";

export interface PublishedImagesArgs {
  /** Repository whose tags are set. */
  repository: RepositoryPlace;
  /** Registry URL without a scheme. */
  registryUrl: pulumi.Input<string>;
  /** Current tags of the repository, from `readTags`. */
  tags: RegistryTags;
  /** Version, commit and date to publish. */
  release: Release;
  /** Source folder, relative to the project. */
  sourceDir: string;
  /** Platforms of each image, such as `linux/amd64`. */
  platforms: readonly string[];
  /** Build arguments, by image. */
  buildArgs: Readonly<Partial<Record<string, Readonly<Record<string, string>>>>>;
  /** Source of cached build layers: this machine, or the last published build. */
  buildCache: "local" | "registry";
  /** Also build this machine's own platform at preview. */
  buildOnPreview: boolean;
}

/** A published image, for the stack's output. */
export interface ReleasedImage {
  /** The image by digest, `host/project/repository/image@sha256:...`. */
  reference: string;
  digest: string;
  tags: string[];
  /** The command that pulls it. */
  pull: string;
}

/** Reads the tags before anything is declared, so that an unreachable repository stops the run. */
export async function checkTags(
  publishImages: boolean,
  repository: RepositoryPlace,
): Promise<Checked<RegistryTags>> {
  return { found: publishImages ? await readTags(repository) : new Map(), problems: [] };
}

/** Reads the tags of the catalogue's images. */
export function readTags(repository: RepositoryPlace): Promise<RegistryTags> {
  return new ArtifactRegistryTags(repository, () => Promise.reject(new Error("only tags are read"))).read();
}

/**
 * Builds and pushes every image of the catalogue, then sets the tags of the release. No resource stands for a tag. A
 * preview prints which tags would change.
 */
export class PublishedImages extends pulumi.ComponentResource {
  public readonly images: Record<string, pulumi.Output<ReleasedImage>>;

  constructor(name: string, args: PublishedImagesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:PublishedImages", name, {}, opts);
    const url = pulumi.output(args.registryUrl).apply(requireHelper);
    const login = url.apply(confirmLogin);
    // Builds wait for the login. A preview builds nothing, and does not wait for a slow helper.
    const registryUrl = pulumi.runtime.isDryRun() ? url : login;
    const provider = new Provider(
      "registry",
      // The plugin reads the login from the Docker configuration, so the state contains none.
      { registryAuth: [{ address: registryUrl.apply(registryHost) }] },
      { parent: this },
    );
    const digests = catalogue.images.map((image) => {
      const published = new ImageBuild(
        image.name,
        {
          image,
          sourceDir: args.sourceDir,
          registryUrl,
          platforms: args.platforms,
          buildArgs: args.buildArgs[image.name] ?? {},
          cacheFromRegistry: args.buildCache === "registry",
          buildOnPreview: args.buildOnPreview ? NATIVE_PLATFORM : undefined,
        },
        { parent: this, providers: [provider] },
      );
      return [image.name, published.digests] as const;
    });
    const released = pulumi.runtime.isDryRun()
      ? previewRelease(args, registryUrl, digests)
      : pulumi
          .all([registryUrl, pulumi.output(Object.fromEntries(digests))])
          .apply(([known, pushed]) => publishRelease(args, known, pushed));
    this.images = Object.fromEntries(
      digests.map(([image, own]) => [
        image,
        // At preview, an image is known only if its own builds are.
        pulumi.all([released, own, registryUrl]).apply(([all]) => releasedImage(all, image)),
      ]),
    );
    this.registerOutputs({ images: this.images });
  }
}

type Released = Record<string, ReleasedImage>;

const NATIVE_PLATFORM = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";

/** Puts the indexes, sets the tags and prints the changes. */
async function publishRelease(
  { repository, tags, release }: PublishedImagesArgs,
  registryUrl: string,
  digests: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<Released> {
  const registry = googleRegistry(registryUrl);
  const builds = await Promise.all(
    Object.entries(digests).map(async ([image, platforms]) => {
      const { build, manifest } = await makeIndex(registry, image, new Map(Object.entries(platforms)));
      const isThere = tags.get(image)?.get(BUILD_TAG) === build.digest;
      if (manifest !== undefined && !isThere) await putIndex(registry, image, manifest);
      return [image, build] as const;
    }),
  );
  const store = new ArtifactRegistryTags(repository, () => Promise.resolve(registry));
  const result = await setTags(store, { registry: tags, release, builds: new Map(builds) });
  print([...describeChanges(result), ...result.notes]);
  return releasedImages(release, registryUrl, new Map(builds), result);
}

/** Prints the changes that `up` would make, by the same rules on a copy of the tags. */
async function previewRelease(
  { tags, release }: PublishedImagesArgs,
  registryUrl: pulumi.Output<string>,
  digests: readonly (readonly [string, pulumi.Output<Record<string, string>>])[],
): Promise<Released> {
  const url = await knownValue(registryUrl);
  const newBuilds = new Set<string>();
  const builds = await Promise.all(
    digests.map(async ([image, output]) => {
      const known = await knownValue(output);
      if (known !== undefined && url !== undefined)
        return [
          image,
          (await makeIndex(googleRegistry(url), image, new Map(Object.entries(known)))).build,
        ] as const;
      newBuilds.add(`new build of ${image}`);
      return [image, { digest: `new build of ${image}`, platforms: new Map<string, string>() }] as const;
    }),
  );
  try {
    const result = await setTags(new TagCopy(tags), { registry: tags, release, builds: new Map(builds) });
    print([...describeChanges(result, newBuilds), ...result.notes]);
    return releasedImages(release, url ?? "", new Map(builds), result);
  } catch (error) {
    // `up` may still succeed: an unknown build can turn out to be the published one.
    void pulumi.log.warn(messageOf(error));
    return releasedImages(release, url ?? "", new Map(builds), { before: tags, after: tags, notes: [] });
  }
}

function releasedImage(all: Released, image: string): ReleasedImage {
  const found = all[image];
  if (found === undefined) throw new Error(`${image} was not released`);
  return found;
}

function releasedImages(
  release: Release,
  registryUrl: string,
  builds: ReadonlyMap<string, Build>,
  { after }: TagResult,
): Released {
  const { version, revision, releaseDate } = release;
  const published = version === undefined ? new Map<string, string>() : versionDigests(after, version);
  const [own = [], prefixed = []] = version === undefined ? [] : ownTags(version).map((tag) => [tag]);
  const names = [
    ...own,
    ...(revision === undefined ? [] : [commitTag(revision)]),
    ...(releaseDate === undefined ? [] : [EDGE_TAG, releaseDate]),
    ...(version === undefined ? [] : lines(version).map(({ tag }) => tag)),
    ...(version === undefined && revision === undefined ? [LATEST.tag] : []),
    ...prefixed,
  ];
  return Object.fromEntries(
    [...builds].map(([image, build]) => {
      const digest = published.get(image) ?? build.digest;
      const path = `${registryUrl}/${image}`;
      const tags = names.filter((tag) => after.get(image)?.get(tag) === digest);
      const reference = `${path}@${digest}`;
      const pull = `docker pull ${tags[0] === undefined ? reference : `${path}:${tags[0]}`}`;
      return [image, { reference, digest, tags, pull }];
    }),
  );
}

function print(lines: readonly string[]): void {
  if (lines.length > 0) void pulumi.log.info(lines.join("\n"));
}
