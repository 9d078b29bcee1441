import { z } from "zod";
import { ApiError, invalidArgument, notFound } from "../../support/http/errors.ts";
import { maskedFields } from "../../support/http/mask.ts";
import { page } from "../../support/http/paging.ts";
import type { Params, Route } from "../../support/http/route.ts";
import { timestamp } from "../../support/http/time.ts";
import type { Context } from "../../support/context.ts";
import type { Manifest } from "../../support/registry/storage.ts";
import { registryPath, REPOSITORY_PATH, repositoryName, onRepository } from "./names.ts";
import { findRepository, operation } from "./repositories.ts";

/** A version of an image in the registry. */
interface Version {
  image: string;
  digest: string;
  tags: string[];
  /** Digests of an index's images. */
  children: string[];
  pushed: Date;
  updated: Date;
}

/** The registry's name, `P/R/IMAGE`, of a route's `{package}`. */
function imageOf(context: Context, params: Params): string {
  return `${registryPath(findRepository(context, params).name)}/${params["package"] ?? ""}`;
}

/** The API's name of an image, with its slashes escaped. */
function packageName(params: Params, image: string): string {
  const path = image.split("/").slice(2).join("/");
  return `${repositoryName(params)}/packages/${encodeURIComponent(path)}`;
}

/** The images of a repository `P/R` with their versions. */
export async function imagesBelow(
  context: Context,
  path: string,
): Promise<{ image: string; versions: Version[] }[]> {
  const images = await context.registry.images(`${path}/`);
  return Promise.all(images.map(async (image) => ({ image, versions: await versionsOf(context, image) })));
}

function imagesIn(context: Context, params: Params): ReturnType<typeof imagesBelow> {
  return imagesBelow(context, registryPath(findRepository(context, params).name));
}

/** All versions of an image, tagged or not, the newest first. */
async function versionsOf(context: Context, image: string): Promise<Version[]> {
  const [tags, versions] = await Promise.all([context.storage.tags(image), context.storage.versions(image)]);
  const found = await Promise.all(
    versions.map(async ({ digest, pushed }) => {
      const own = tags.filter((each) => each.digest === digest).map(({ tag }) => tag);
      const moved = await Promise.all(own.map((tag) => context.storage.tagMoved(image, tag)));
      const updated = new Date(Math.max(pushed.getTime(), ...moved.map((each) => each?.getTime() ?? 0)));
      const { manifests = [] } = JSON.parse(
        (await context.storage.manifest(image, digest)) ?? "{}",
      ) as Manifest;
      const children = manifests.map((child) => child.digest);
      return { image, digest, tags: own, children, pushed, updated };
    }),
  );
  return found.sort((a, b) => b.pushed.getTime() - a.pushed.getTime() || (a.digest < b.digest ? -1 : 1));
}

/** The versions of an image. @throws ApiError 404 if it has none. */
async function existingVersions(context: Context, params: Params): Promise<Version[]> {
  const versions = await versionsOf(context, imageOf(context, params));
  if (versions.length === 0) throw notFound();
  return versions;
}

function versionIn(versions: readonly Version[], params: Params): Version {
  const found = versions.find(({ digest }) => digest === params["version"]);
  if (!found) throw notFound();
  return found;
}

async function findVersion(context: Context, params: Params): Promise<Version> {
  return versionIn(await existingVersions(context, params), params);
}

/** Size, type and age of a version, from its manifest. */
async function details(context: Context, { image, digest }: Version) {
  const { manifest, mediaType, size } = await context.registry.manifest(image, digest);
  const config = manifest.config && (await context.registry.config(image, manifest.config.digest));
  const parts = [
    ...(manifest.layers ?? []),
    ...(manifest.manifests ?? []),
    ...(manifest.config ? [manifest.config] : []),
  ];
  return {
    mediaType,
    imageManifests: manifest.manifests?.map(({ digest: child, mediaType: type, platform }) => ({
      ...platform,
      digest: child,
      mediaType: type,
    })),
    artifactType: manifest.artifactType ?? manifest.config?.mediaType,
    imageSizeBytes: String(size + parts.reduce((sum, part) => sum + part.size, 0)),
    buildTime: config?.created === undefined ? undefined : timestamp(new Date(config.created)),
  };
}

async function dockerImage(context: Context, params: Params, version: Version): Promise<object> {
  const { mediaType, artifactType, imageManifests, imageSizeBytes, buildTime } = await details(
    context,
    version,
  );
  const path = version.image.split("/").slice(2).join("/");
  return {
    name: `${repositoryName(params)}/dockerImages/${encodeURIComponent(path)}@${version.digest}`,
    uri: `localhost:${context.registryPort}/${version.image}@${version.digest}`,
    ...(version.tags.length > 0 && { tags: version.tags }),
    imageSizeBytes,
    uploadTime: timestamp(version.pushed),
    mediaType,
    ...(buildTime !== undefined && { buildTime }),
    updateTime: timestamp(version.updated),
    ...(artifactType !== undefined && { artifactType }),
    ...(imageManifests && { imageManifests }),
  };
}

async function versionAnswer(
  context: Context,
  params: Params,
  version: Version,
  full: boolean,
): Promise<object> {
  const name = `${packageName(params, version.image)}/versions/${version.digest}`;
  const { mediaType, imageSizeBytes, buildTime } = await details(context, version);
  return {
    name,
    createTime: timestamp(version.pushed),
    updateTime: timestamp(version.updated),
    ...(full &&
      version.tags.length > 0 && {
        relatedTags: version.tags.map((tag) => tagAnswer(params, version.image, tag, version.digest)),
      }),
    metadata: { name, mediaType, imageSizeBytes, ...(buildTime !== undefined && { buildTime }) },
  };
}

function packageAnswer(params: Params, image: string, versions: Version[]): object {
  const times = versions.flatMap(({ pushed, updated }) => [pushed.getTime(), updated.getTime()]);
  return {
    name: packageName(params, image),
    createTime: timestamp(new Date(Math.min(...times))),
    updateTime: timestamp(new Date(Math.max(...times))),
  };
}

interface Tag {
  name: string;
  version: string;
}

function tagAnswer(params: Params, image: string, tag: string, digest: string): Tag {
  const name = packageName(params, image);
  return { name: `${name}/tags/${tag}`, version: `${name}/versions/${digest}` };
}

async function tagsOf(context: Context, params: Params): Promise<Tag[]> {
  const image = imageOf(context, params);
  const tags = await context.storage.tags(image);
  return tags.map(({ tag, digest }) => tagAnswer(params, image, tag, digest));
}

/** Supports `version="NAME"`, the only filter that clients send. */
function filterTags(tags: Tag[], filter: string | null) {
  if (filter === null || filter === "") return tags;
  const wanted = /^version\s*=\s*"(.+)"$/.exec(filter)?.[1];
  if (wanted === undefined) throw invalidArgument(`Invalid filter: ${filter}`, "filter");
  return tags.filter(({ version }) => decodeURIComponent(version) === decodeURIComponent(wanted));
}

const tagBody = z.strictObject({
  name: z.string("TYPE_STRING").optional(),
  version: z.string("TYPE_STRING").default(""),
});

/** The digest in a version's name. @throws ApiError 400 unless the version belongs to the package. */
function digestOf(params: Params, image: string, version: string): string {
  const [owner = "", digest] = version.split("/versions/");
  if (digest === undefined || decodeURIComponent(owner) !== decodeURIComponent(packageName(params, image)))
    throw invalidArgument(`Invalid version "${version}".`, "tag.version");
  return digest;
}

/** The last change of each tag, which serializes changes. */
const changes = new Map<string, Promise<unknown>>();

/** Runs `change` with the tag's current digest, while no other change of the tag runs. */
async function onTag(
  { context, params }: { context: Context; params: Params },
  tag: string,
  change: (image: string, present: string | undefined) => Promise<object>,
): Promise<object> {
  const image = imageOf(context, params);
  const key = `${image}:${tag}`;
  const before = changes.get(key) ?? Promise.resolve();
  const mine = before.then(async () => change(image, await context.storage.tagDigest(image, tag)));
  const done = mine.catch(() => undefined);
  changes.set(key, done);
  try {
    return await mine;
  } finally {
    if (changes.get(key) === done) changes.delete(key);
  }
}

/** Sets a tag to the version that the body names. */
async function putTag(
  { context, params, body }: { context: Context; params: Params; body: z.infer<typeof tagBody> },
  image: string,
  tag: string,
): Promise<object> {
  const digest = digestOf(params, image, body.version);
  await context.registry.tag(image, digest, tag);
  return tagAnswer(params, image, tag, digest);
}

/** https://docs.cloud.google.com/artifact-registry/docs/repositories/create-repos#immutable-tags */
function checkMutable(context: Context, params: Params, tag: string): void {
  if (findRepository(context, params).dockerConfig?.immutableTags === true)
    throw new ApiError(
      "FAILED_PRECONDITION",
      `cannot update tag ${tag}. The repository has enabled tag immutability`,
    );
}

const isFull = (query: URLSearchParams): boolean => query.get("view") === "FULL";

const PACKAGES_PATH = `${REPOSITORY_PATH}/packages`;
const PACKAGE_PATH = `${PACKAGES_PATH}/{package}`;
const VERSIONS_PATH = `${PACKAGE_PATH}/versions`;
const VERSION_PATH = `${VERSIONS_PATH}/{version*}`;
const TAGS_PATH = `${PACKAGE_PATH}/tags`;
const TAG_PATH = `${TAGS_PATH}/{tag}`;
const IMAGES_PATH = `${REPOSITORY_PATH}/dockerImages`;

/** Packages, versions, tags and Docker images. */
export const contents: Route[] = [
  onRepository.get(PACKAGES_PATH, "artifactregistry.packages.list", async ({ context, params, query }) => {
    const images = (await imagesIn(context, params)).filter(({ versions }) => versions.length > 0);
    const packages = images.map(({ image, versions }) => packageAnswer(params, image, versions));
    return page("packages", packages, query);
  }),
  onRepository.get(PACKAGE_PATH, "artifactregistry.packages.get", async ({ context, params }) => {
    return packageAnswer(params, imageOf(context, params), await existingVersions(context, params));
  }),
  onRepository.delete(PACKAGE_PATH, "artifactregistry.packages.delete", async ({ context, params }) => {
    await existingVersions(context, params);
    await context.storage.deleteBelow(imageOf(context, params));
    return operation(context, params);
  }),
  onRepository.get(VERSIONS_PATH, "artifactregistry.versions.list", async ({ context, params, query }) => {
    const versions = await versionsOf(context, imageOf(context, params));
    const answers = versions.map((version) => versionAnswer(context, params, version, isFull(query)));
    return page("versions", await Promise.all(answers), query);
  }),
  onRepository.get(VERSION_PATH, "artifactregistry.versions.get", async ({ context, params, query }) =>
    versionAnswer(context, params, await findVersion(context, params), isFull(query)),
  ),
  onRepository.delete(
    VERSION_PATH,
    "artifactregistry.versions.delete",
    async ({ context, params, query }) => {
      const versions = await existingVersions(context, params);
      const { image, digest, tags } = versionIn(versions, params);
      if (tags.length > 0 && query.get("force") !== "true")
        throw new ApiError(
          "FAILED_PRECONDITION",
          `Cannot delete version ${digest}: it has the tags ${tags.join(", ")}. Delete the tags first, or set force.`,
        );
      const parent = versions.find(({ children }) => children.includes(digest));
      if (parent && context.store.state.childDeletion === "refused")
        throw new ApiError(
          "FAILED_PRECONDITION",
          `GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE: Manifest ${digest} is referenced by image ${parent.digest}`,
        );
      await context.registry.deleteManifest(image, digest);
      return operation(context, params);
    },
  ),
  onRepository.get(TAGS_PATH, "artifactregistry.tags.list", async ({ context, params, query }) =>
    page("tags", filterTags(await tagsOf(context, params), query.get("filter")), query),
  ),
  onRepository.get(TAG_PATH, "artifactregistry.tags.get", async ({ context, params }) => {
    const image = imageOf(context, params);
    const tag = params["tag"] ?? "";
    const digest = await context.storage.tagDigest(image, tag);
    if (digest === undefined) throw notFound();
    return tagAnswer(params, image, tag, digest);
  }),
  onRepository.post(TAGS_PATH, "artifactregistry.tags.create", tagBody, (call) => {
    const tag = call.query.get("tagId") ?? call.query.get("tag_id") ?? "";
    if (!/^\w[\w.-]{0,127}$/.test(tag)) throw invalidArgument(`Invalid tag "${tag}".`, "tag_id");
    return onTag(call, tag, (image, present) => {
      if (present !== undefined) throw new ApiError("ALREADY_EXISTS", "the tag already exists");
      return putTag(call, image, tag);
    });
  }),
  onRepository.patch(TAG_PATH, "artifactregistry.tags.update", tagBody, (call) => {
    const tag = call.params["tag"] ?? "";
    maskedFields(call.query.get("updateMask") ?? call.query.get("update_mask"), call.body, ["version"]);
    return onTag(call, tag, (image, present) => {
      if (present === undefined) throw notFound();
      checkMutable(call.context, call.params, tag);
      return putTag(call, image, tag);
    });
  }),
  onRepository.delete(TAG_PATH, "artifactregistry.tags.delete", (call) => {
    const tag = call.params["tag"] ?? "";
    return onTag(call, tag, async (image, present) => {
      if (present === undefined) throw notFound();
      checkMutable(call.context, call.params, tag);
      await call.context.storage.deleteTag(image, tag);
      return {};
    });
  }),
  onRepository.get(IMAGES_PATH, "artifactregistry.dockerimages.list", async ({ context, params, query }) => {
    const versions = (await imagesIn(context, params)).flatMap((each) => each.versions);
    const images = versions.map((each) => dockerImage(context, params, each));
    return page("dockerImages", await Promise.all(images), query);
  }),
  onRepository.get(
    `${IMAGES_PATH}/{image*}`,
    "artifactregistry.dockerimages.get",
    async ({ context, params }) => {
      const [path = "", reference = ""] = (params["image"] ?? "").split("@");
      const own = { ...params, package: path, version: reference };
      return dockerImage(context, params, await findVersion(context, own));
    },
  ),
];
