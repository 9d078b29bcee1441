import { Provider } from "@pulumi/docker/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { accessToken } from "../../google/access-token.ts";
import type { Checked } from "../../problems/checks.ts";
import { messageOf } from "../../problems/wording.ts";
import { catalogue } from "./catalogue.ts";
import { confirmLogin, requireHelper } from "./confirm-login.ts";
import { registryHost } from "./docker/login.ts";
import { knownValue } from "./known-value.ts";
import { PublishedImage } from "./published-image.ts";
import { ArtifactRegistryTags, type Repository } from "./registry/artifact-registry-tags.ts";
import { ImageRegistry } from "./registry/image-registry.ts";
import { makeIndex, putIndex } from "./registry/manifests.ts";
import { describeChanges } from "./tags/messages.ts";
import { BUILD_TAG, commitTag, EDGE_TAG, LATEST, lines, ownTags, type Release } from "./tags/names.ts";
import type { TagResult } from "./tags/run.ts";
import { type Build, setTags } from "./tags/set-tags.ts";
import { TagCopy } from "./tags/store.ts";
import { type RegistryTags, versionDigests } from "./tags/versions.ts";

export interface PublishedImagesArgs {
  /** The repository whose tags are set. */
  repository: Repository;
  /** Where it is pushed to and pulled from, without a scheme. */
  registryUrl: pulumi.Input<string>;
  /** The tags that the repository holds, from `readTags`. */
  tags: RegistryTags;
  /** What the images are published as. */
  release: Release;
  /** Folder of the sources; relative. */
  sourceDir: string;
  /** Platforms of each image, such as `linux/amd64`. */
  platforms: readonly string[];
  /** Build arguments, by image. */
  buildArgs: Readonly<Partial<Record<string, Readonly<Record<string, string>>>>>;
  /** Where build layers come from: this machine, or the last published build. */
  buildCache: "local" | "registry";
  /** Build the machine's own platform at preview too. */
  buildOnPreview: boolean;
}

/** A published image, as the stack's output has it. */
export interface ReleasedImage {
  /** The image by digest, `host/project/repository/image@sha256:...`. */
  reference: string;
  digest: string;
  tags: string[];
  /** The command that pulls it. */
  pull: string;
}

/** The tags to publish by, asked for before anything is declared: a repository that does not answer stops the run. */
export async function checkTags(
  publishImages: boolean,
  repository: Repository,
): Promise<Checked<RegistryTags>> {
  return { found: publishImages ? await readTags(repository) : new Map(), problems: [] };
}

/** The tags of the catalogue's images, as a repository has them now. */
export function readTags(repository: Repository): Promise<RegistryTags> {
  return tagStore(repository, Promise.reject(new Error("only tags are read"))).read();
}

/**
 * Every image of the catalogue, built and pushed side by side. When all of them are there, the release's tags are set;
 * no resource stands for a tag. A preview reports what would be set.
 */
export class PublishedImages extends pulumi.ComponentResource {
  public readonly images: Record<string, pulumi.Output<ReleasedImage>>;

  constructor(name: string, args: PublishedImagesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:PublishedImages", name, {}, opts);
    const url = pulumi.output(args.registryUrl).apply(requireHelper);
    const login = url.apply(confirmLogin);
    // Nothing is built without a login. A preview builds nothing, and waits for no helper.
    const registryUrl = pulumi.runtime.isDryRun() ? url : login;
    const provider = new Provider(
      "registry",
      // With an address alone the plugin takes the login from the Docker configuration: none reaches the state.
      { registryAuth: [{ address: registryUrl.apply(registryHost) }] },
      { parent: this },
    );
    const digests = catalogue.images.map((image) => {
      const published = new PublishedImage(
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
        // A preview knows the images whose builds it knows.
        pulumi.all([released, own, registryUrl]).apply(([all]) => releasedImage(all, image)),
      ]),
    );
    this.registerOutputs({ images: this.images });
  }
}

type Released = Record<string, ReleasedImage>;

const NATIVE_PLATFORM = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";

/** Puts the indexes and sets the tags, and prints what moved. */
async function publishRelease(
  { repository, tags, release }: PublishedImagesArgs,
  registryUrl: string,
  digests: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<Released> {
  const registry = pluginRegistry(registryUrl);
  const builds = await Promise.all(
    Object.entries(digests).map(async ([image, platforms]) => {
      const { build, manifest } = await makeIndex(registry, image, new Map(Object.entries(platforms)));
      const isThere = tags.get(image)?.get(BUILD_TAG) === build.digest;
      if (manifest !== undefined && !isThere) await putIndex(registry, image, manifest);
      return [image, build] as const;
    }),
  );
  const store = tagStore(repository, Promise.resolve(registry));
  const result = await setTags(store, { registry: tags, release, builds: new Map(builds) });
  print([...describeChanges(result), ...result.notes]);
  return releasedImages(release, registryUrl, new Map(builds), result);
}

/** Prints what `up` would move, by the same rules on a copy of the tags. */
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
          (await makeIndex(pluginRegistry(url), image, new Map(Object.entries(known)))).build,
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
    // A build that is new here may turn out to be the one that is there.
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

function tagStore(repository: Repository, registry: Promise<ImageRegistry>): ArtifactRegistryTags {
  registry.catch(() => undefined);
  return new ArtifactRegistryTags(
    repository,
    catalogue.images.map(({ name }) => name),
    () => registry,
  );
}

/** The registry, with the gcp plugin's own login. */
function pluginRegistry(url: string): ImageRegistry {
  return new ImageRegistry(url, async () => ({
    username: "oauth2accesstoken",
    password: await accessToken(),
  }));
}

function print(lines: readonly string[]): void {
  if (lines.length > 0) void pulumi.log.info(lines.join("\n"));
}
