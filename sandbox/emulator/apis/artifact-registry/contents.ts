import { z } from "zod";
import { ApiError, invalidArgument, notFound } from "../../support/http/errors.ts";
import { maskedFields } from "../../support/http/mask.ts";
import { page } from "../../support/http/paging.ts";
import type { Route } from "../../support/http/route.ts";
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
  manifest: Manifest;
  /** Of the manifest, in bytes. */
  size: number;
}

/** A request, as far as it says which repository, package or version it is about. */
type Call = Pick<Parameters<Route["handle"]>[0], "context" | "params">;

/** The registry's name, `P/R/IMAGE`, of a route's `{package}`. */
function imageOf({ context, params }: Call): string {
  return `${registryPath(findRepository(context, params).name)}/${params["package"] ?? ""}`;
}

/** The name of an image in its repository. */
const pathOf = (image: string): string => image.split("/").slice(2).join("/");

/** The API's name of an image, with its slashes escaped. */
function packageName({ params }: Call, image: string): string {
  return `${repositoryName(params)}/packages/${encodeURIComponent(pathOf(image))}`;
}

/** The images of a repository `P/R` with their versions. */
export async function imagesBelow(
  context: Context,
  path: string,
): Promise<{ image: string; versions: Version[] }[]> {
  const images = await context.storage.images(path);
  return Promise.all(images.map(async (image) => ({ image, versions: await versionsOf(context, image) })));
}

function imagesIn({ context, params }: Call): ReturnType<typeof imagesBelow> {
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
      const text = (await context.storage.manifest(image, digest)) ?? "{}";
      const manifest = JSON.parse(text) as Manifest;
      const children = (manifest.manifests ?? []).map((child) => child.digest);
      const size = Buffer.byteLength(text);
      return { image, digest, tags: own, children, pushed, updated, manifest, size };
    }),
  );
  return found.sort((a, b) => b.pushed.getTime() - a.pushed.getTime() || (a.digest < b.digest ? -1 : 1));
}

/** @throws ApiError 404 */
function versionIn(versions: readonly Version[], digest: string | undefined): Version {
  const found = versions.find((version) => version.digest === digest);
  if (!found) throw notFound();
  return found;
}

/** Size, type and age of a version, from its manifest. */
async function details(context: Context, { manifest, size }: Version) {
  const config = manifest.config && (await context.storage.config(manifest.config.digest));
  const parts = [
    ...(manifest.layers ?? []),
    ...(manifest.manifests ?? []),
    ...(manifest.config ? [manifest.config] : []),
  ];
  const kind = manifest.manifests ? "index" : "manifest";
  return {
    mediaType: manifest.mediaType ?? `application/vnd.oci.image.${kind}.v1+json`,
    imageManifests: manifest.manifests?.map(({ digest: child, mediaType: type, platform }) => ({
      ...platform,
      digest: child,
      mediaType: type,
    })),
    artifactType: manifest.artifactType ?? manifest.config?.mediaType,
    imageSizeBytes: String(size + parts.reduce((sum, part) => sum + part.size, 0)),
    buildTime: config?.created && timestamp(new Date(config.created)),
  };
}

/** Undefined fields are omitted from answers. */
async function dockerImage(call: Call, version: Version): Promise<object> {
  const { context, params } = call;
  const { image, digest, tags } = version;
  return {
    name: `${repositoryName(params)}/dockerImages/${encodeURIComponent(pathOf(image))}@${digest}`,
    uri: `localhost:${context.registryPort}/${image}@${digest}`,
    tags: tags.length > 0 ? tags : undefined,
    uploadTime: timestamp(version.pushed),
    updateTime: timestamp(version.updated),
    ...(await details(context, version)),
  };
}

async function versionAnswer(call: Call, version: Version, view: string | null): Promise<object> {
  const { image, digest, tags, pushed, updated } = version;
  const name = `${packageName(call, image)}/versions/${digest}`;
  const { mediaType, imageSizeBytes, buildTime } = await details(call.context, version);
  const related = view === "FULL" && tags.length > 0;
  return {
    name,
    createTime: timestamp(pushed),
    updateTime: timestamp(updated),
    relatedTags: related ? tags.map((tag) => tagAnswer(call, image, tag, digest)) : undefined,
    metadata: { name, mediaType, imageSizeBytes, buildTime },
  };
}

function packageAnswer(call: Call, image: string, versions: Version[]): object {
  const times = versions.flatMap(({ pushed, updated }) => [pushed.getTime(), updated.getTime()]);
  return {
    name: packageName(call, image),
    createTime: timestamp(new Date(Math.min(...times))),
    updateTime: timestamp(new Date(Math.max(...times))),
  };
}

interface Tag {
  name: string;
  version: string;
}

function tagAnswer(call: Call, image: string, tag: string, digest: string): Tag {
  const name = packageName(call, image);
  return { name: `${name}/tags/${tag}`, version: `${name}/versions/${digest}` };
}

async function tagsOf(call: Call): Promise<Tag[]> {
  const image = imageOf(call);
  const tags = await call.context.storage.tags(image);
  return tags.map(({ tag, digest }) => tagAnswer(call, image, tag, digest));
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
function digestOf(call: Call, image: string, version: string): string {
  const [owner = "", digest] = version.split("/versions/");
  if (digest === undefined || decodeURIComponent(owner) !== decodeURIComponent(packageName(call, image)))
    throw invalidArgument(`Invalid version "${version}".`, "tag.version");
  return digest;
}

/** The last change of each tag, which serializes changes. */
const changes = new Map<string, Promise<unknown>>();

/** Runs `change` with the tag's current digest, while no other change of the tag runs. */
async function onTag(
  call: Call,
  tag: string,
  change: (image: string, present: string | undefined) => Promise<object>,
): Promise<object> {
  const image = imageOf(call);
  const key = `${image}:${tag}`;
  const before = changes.get(key) ?? Promise.resolve();
  const mine = before.then(async () => change(image, await call.context.storage.tagDigest(image, tag)));
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
  call: Call & { body: z.infer<typeof tagBody> },
  image: string,
  tag: string,
): Promise<object> {
  const digest = digestOf(call, image, call.body.version);
  if ((await call.context.storage.manifest(image, digest)) === undefined) throw notFound();
  await call.context.storage.setTag(image, tag, digest);
  return tagAnswer(call, image, tag, digest);
}

/** https://docs.cloud.google.com/artifact-registry/docs/repositories/create-repos#immutable-tags */
function checkMutable({ context, params }: Call, tag: string): void {
  if (findRepository(context, params).dockerConfig?.immutableTags === true)
    throw new ApiError(
      "FAILED_PRECONDITION",
      `cannot update tag ${tag}. The repository has enabled tag immutability`,
    );
}

const PACKAGES_PATH = `${REPOSITORY_PATH}/packages`;
const PACKAGE_PATH = `${PACKAGES_PATH}/{package}`;
const VERSIONS_PATH = `${PACKAGE_PATH}/versions`;
const TAGS_PATH = `${PACKAGE_PATH}/tags`;
const TAG_PATH = `${TAGS_PATH}/{tag}`;
const IMAGES_PATH = `${REPOSITORY_PATH}/dockerImages`;

/** Packages, versions, tags and Docker images. */
export const contents: Route[] = [
  onRepository.get(PACKAGES_PATH, "artifactregistry.packages.list", async (call) => {
    const images = (await imagesIn(call)).filter(({ versions }) => versions.length > 0);
    const packages = images.map(({ image, versions }) => packageAnswer(call, image, versions));
    return page("packages", packages, call.query);
  }),
  onRepository.delete(PACKAGE_PATH, "artifactregistry.packages.delete", async (call) => {
    const image = imageOf(call);
    if ((await versionsOf(call.context, image)).length === 0) throw notFound();
    await call.context.storage.deleteBelow(image);
    return operation(call.context, call.params);
  }),
  onRepository.get(VERSIONS_PATH, "artifactregistry.versions.list", async (call) => {
    const versions = await versionsOf(call.context, imageOf(call));
    const answers = versions.map((version) => versionAnswer(call, version, call.query.get("view")));
    return page("versions", await Promise.all(answers), call.query);
  }),
  onRepository.delete(`${VERSIONS_PATH}/{version*}`, "artifactregistry.versions.delete", async (call) => {
    const { context, params, query } = call;
    const versions = await versionsOf(context, imageOf(call));
    const { image, digest, tags } = versionIn(versions, params["version"]);
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
    await context.storage.deleteVersion(image, digest);
    return operation(context, params);
  }),
  onRepository.get(TAGS_PATH, "artifactregistry.tags.list", async (call) =>
    page("tags", filterTags(await tagsOf(call), call.query.get("filter")), call.query),
  ),
  onRepository.get(TAG_PATH, "artifactregistry.tags.get", async (call) => {
    const image = imageOf(call);
    const tag = call.params["tag"] ?? "";
    const digest = await call.context.storage.tagDigest(image, tag);
    if (digest === undefined) throw notFound();
    return tagAnswer(call, image, tag, digest);
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
      checkMutable(call, tag);
      return putTag(call, image, tag);
    });
  }),
  onRepository.delete(TAG_PATH, "artifactregistry.tags.delete", (call) => {
    const tag = call.params["tag"] ?? "";
    return onTag(call, tag, async (image, present) => {
      if (present === undefined) throw notFound();
      checkMutable(call, tag);
      await call.context.storage.deleteTag(image, tag);
      return {};
    });
  }),
  onRepository.get(IMAGES_PATH, "artifactregistry.dockerimages.list", async (call) => {
    const versions = (await imagesIn(call)).flatMap((each) => each.versions);
    const images = versions.map((each) => dockerImage(call, each));
    return page("dockerImages", await Promise.all(images), call.query);
  }),
  onRepository.get(`${IMAGES_PATH}/{image*}`, "artifactregistry.dockerimages.get", async (call) => {
    const [name = "", digest = ""] = (call.params["image"] ?? "").split("@");
    const params = { ...call.params, package: name };
    const versions = await versionsOf(call.context, imageOf({ ...call, params }));
    return dockerImage(call, versionIn(versions, digest));
  }),
];
