import { z } from "zod";
import { ApiError, invalidArgument, notFound } from "../../http/errors";
import { page } from "../../http/paging";
import { type Params, route, type Route } from "../../http/route";
import { timestamp } from "../../http/time";
import { finishedOperation } from "../../operations";
import type { World } from "../../world";
import { locationName, registryPath, REPOSITORY_PATH, repositoryName, service } from "./names";
import { findRepository } from "./repositories";

/** An image version as found in the registry. */
interface Version {
  image: string;
  digest: string;
  tags: string[];
  pushed: Date;
  updated: Date;
}

const OPERATION = "type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata";

/** The registry's name of the image that a route calls `{package}`: `P/R/IMAGE`. */
function imageOf(world: World, params: Params): string {
  return `${registryPath(findRepository(world, params).name)}/${params["package"] ?? ""}`;
}

/** The API's name of an image: its slashes are escaped. */
function packageName(params: Params, image: string): string {
  const path = image.split("/").slice(2).join("/");
  return `${repositoryName(params)}/packages/${encodeURIComponent(path)}`;
}

async function imagesIn(world: World, params: Params): Promise<string[]> {
  return world.registry.images(`${registryPath(findRepository(world, params).name)}/`);
}

/** All versions of an image, tagged or not, the latest first. */
async function versionsOf(world: World, image: string): Promise<Version[]> {
  const [tags, versions] = await Promise.all([world.registry.tags(image), world.storage.versions(image)]);
  const found = await Promise.all(
    versions.map(async ({ digest, pushed }) => {
      const own = tags.filter((each) => each.digest === digest).map(({ tag }) => tag);
      const moved = await Promise.all(own.map((tag) => world.storage.tagMoved(image, tag)));
      const updated = new Date(Math.max(pushed.getTime(), ...moved.map((each) => each?.getTime() ?? 0)));
      return { image, digest, tags: own, pushed, updated };
    }),
  );
  return found.sort((a, b) => b.pushed.getTime() - a.pushed.getTime() || (a.digest < b.digest ? -1 : 1));
}

/** The versions of an image that has any. Throws 404 for an image that does not exist. */
async function existingVersions(world: World, params: Params): Promise<Version[]> {
  const versions = await versionsOf(world, imageOf(world, params));
  if (versions.length === 0) throw notFound();
  return versions;
}

async function findVersion(world: World, params: Params): Promise<Version> {
  const versions = await versionsOf(world, imageOf(world, params));
  const found = versions.find(({ digest }) => digest === params["version"]);
  if (!found) throw notFound();
  return found;
}

/** Size, type and age that the manifest of a version tells. */
async function details(world: World, { image, digest }: Version) {
  const { manifest, mediaType, size } = await world.registry.manifest(image, digest);
  const config = manifest.config && (await world.registry.config(image, manifest.config.digest));
  const parts = [
    ...(manifest.layers ?? []),
    ...(manifest.manifests ?? []),
    ...(manifest.config ? [manifest.config] : []),
  ];
  return {
    mediaType,
    artifactType: manifest.artifactType ?? manifest.config?.mediaType,
    imageSizeBytes: String(size + parts.reduce((sum, part) => sum + part.size, 0)),
    buildTime: config?.created === undefined ? undefined : timestamp(new Date(config.created)),
  };
}

async function dockerImage(world: World, params: Params, version: Version): Promise<object> {
  const { mediaType, artifactType, imageSizeBytes, buildTime } = await details(world, version);
  const path = version.image.split("/").slice(2).join("/");
  return {
    name: `${repositoryName(params)}/dockerImages/${encodeURIComponent(path)}@${version.digest}`,
    uri: `localhost:${world.registryPort}/${version.image}@${version.digest}`,
    ...(version.tags.length > 0 && { tags: version.tags }),
    imageSizeBytes,
    uploadTime: timestamp(version.pushed),
    mediaType,
    ...(buildTime !== undefined && { buildTime }),
    updateTime: timestamp(version.updated),
    ...(artifactType !== undefined && { artifactType }),
  };
}

async function versionAnswer(world: World, params: Params, version: Version, full: boolean): Promise<object> {
  const packageOf = packageName(params, version.image);
  const name = `${packageOf}/versions/${version.digest}`;
  const { mediaType, imageSizeBytes, buildTime } = await details(world, version);
  return {
    name,
    createTime: timestamp(version.pushed),
    updateTime: timestamp(version.updated),
    ...(full &&
      version.tags.length > 0 && {
        relatedTags: version.tags.map((tag) => ({ name: `${packageOf}/tags/${tag}`, version: name })),
      }),
    metadata: { name, mediaType, imageSizeBytes, ...(buildTime !== undefined && { buildTime }) },
  };
}

async function packageAnswer(world: World, params: Params, image: string): Promise<object> {
  const versions = await versionsOf(world, image);
  const times = versions.flatMap(({ pushed, updated }) => [pushed.getTime(), updated.getTime()]);
  return {
    name: packageName(params, image),
    ...(times.length > 0 && {
      createTime: timestamp(new Date(Math.min(...times))),
      updateTime: timestamp(new Date(Math.max(...times))),
    }),
  };
}

async function tagsOf(world: World, params: Params): Promise<{ name: string; version: string }[]> {
  const image = imageOf(world, params);
  const name = packageName(params, image);
  const tags = await world.registry.tags(image);
  return tags.map(({ tag, digest }) => ({
    name: `${name}/tags/${tag}`,
    version: `${name}/versions/${digest}`,
  }));
}

/** `version="NAME"`, the one filter of tags that clients send. */
function filterTags(tags: { name: string; version: string }[], filter: string | null) {
  if (filter === null || filter === "") return tags;
  const wanted = /^version\s*=\s*"(.+)"$/.exec(filter)?.[1];
  if (wanted === undefined) throw invalidArgument(`Invalid filter: ${filter}`, "filter");
  return tags.filter(({ version }) => decodeURIComponent(version) === decodeURIComponent(wanted));
}

const tagBody = z.strictObject({
  name: z.string("TYPE_STRING").optional(),
  version: z.string("TYPE_STRING").default(""),
});

/** Puts a tag on the version that is named as the API does, `.../versions/sha256:...`. */
async function putTag(world: World, params: Params, tag: string, version: string): Promise<object> {
  if (!/^[\w][\w.-]{0,127}$/.test(tag)) throw invalidArgument(`Invalid tag "${tag}".`, "tag_id");
  const digest = version.split("/versions/")[1];
  if (digest === undefined) throw invalidArgument(`Invalid version "${version}".`, "tag.version");
  const image = imageOf(world, params);
  await world.registry.tag(image, digest, tag);
  const name = packageName(params, image);
  return { name: `${name}/tags/${tag}`, version: `${name}/versions/${digest}` };
}

const operationsOf = (params: Params): string => `${locationName(params)}/operations`;
const isFull = (query: URLSearchParams): boolean => query.get("view") === "FULL";

const PACKAGE_PATH = `${REPOSITORY_PATH}/packages/{package}`;

/** What is in a repository, asked from the registry itself. */
export const contents: Route[] = [
  route({
    method: "GET",
    path: `${REPOSITORY_PATH}/packages`,
    service,
    permission: "artifactregistry.packages.list",
    resource: repositoryName,
    handle: async ({ world, params, query }) => {
      const images = await imagesIn(world, params);
      const packages = await Promise.all(
        images.map(async (image) =>
          (await versionsOf(world, image)).length > 0 ? packageAnswer(world, params, image) : undefined,
        ),
      );
      return page(
        "packages",
        packages.filter((each) => each !== undefined),
        query,
      );
    },
  }),
  route({
    method: "GET",
    path: PACKAGE_PATH,
    service,
    permission: "artifactregistry.packages.get",
    resource: repositoryName,
    handle: async ({ world, params }) => {
      await existingVersions(world, params);
      return packageAnswer(world, params, imageOf(world, params));
    },
  }),
  route({
    method: "DELETE",
    path: PACKAGE_PATH,
    service,
    permission: "artifactregistry.packages.delete",
    resource: repositoryName,
    handle: async ({ world, params }) => {
      await existingVersions(world, params);
      await world.storage.deleteBelow(imageOf(world, params));
      return finishedOperation(world, { under: operationsOf(params), metadata: { "@type": OPERATION } });
    },
  }),
  route({
    method: "GET",
    path: `${PACKAGE_PATH}/versions`,
    service,
    permission: "artifactregistry.versions.list",
    resource: repositoryName,
    handle: async ({ world, params, query }) => {
      const versions = await versionsOf(world, imageOf(world, params));
      const answers = versions.map((version) => versionAnswer(world, params, version, isFull(query)));
      return page("versions", await Promise.all(answers), query);
    },
  }),
  route({
    method: "GET",
    path: `${PACKAGE_PATH}/versions/{version*}`,
    service,
    permission: "artifactregistry.versions.get",
    resource: repositoryName,
    handle: async ({ world, params, query }) =>
      versionAnswer(world, params, await findVersion(world, params), isFull(query)),
  }),
  route({
    method: "DELETE",
    path: `${PACKAGE_PATH}/versions/{version*}`,
    service,
    permission: "artifactregistry.versions.delete",
    resource: repositoryName,
    handle: async ({ world, params, query }) => {
      const { image, digest, tags } = await findVersion(world, params);
      if (tags.length > 0 && query.get("force") !== "true")
        throw new ApiError(
          "FAILED_PRECONDITION",
          `Cannot delete version ${digest}: it has the tags ${tags.join(", ")}. Delete the tags first, or set force.`,
        );
      await world.registry.deleteManifest(image, digest);
      return finishedOperation(world, { under: operationsOf(params), metadata: { "@type": OPERATION } });
    },
  }),
  route({
    method: "GET",
    path: `${PACKAGE_PATH}/tags`,
    service,
    permission: "artifactregistry.tags.list",
    resource: repositoryName,
    handle: async ({ world, params, query }) =>
      page("tags", filterTags(await tagsOf(world, params), query.get("filter")), query),
  }),
  route({
    method: "GET",
    path: `${PACKAGE_PATH}/tags/{tag}`,
    service,
    permission: "artifactregistry.tags.get",
    resource: repositoryName,
    handle: async ({ world, params }) => {
      const tags = await tagsOf(world, params);
      const found = tags.find(({ name }) => name.endsWith(`/tags/${params["tag"] ?? ""}`));
      if (!found) throw notFound();
      return found;
    },
  }),
  route({
    method: "POST",
    path: `${PACKAGE_PATH}/tags`,
    service,
    permission: "artifactregistry.tags.create",
    resource: repositoryName,
    body: tagBody,
    handle: async ({ world, params, query, body }) => {
      const tag = query.get("tagId") ?? query.get("tag_id") ?? "";
      if (await world.storage.tagMoved(imageOf(world, params), tag))
        throw new ApiError("ALREADY_EXISTS", "the tag already exists");
      return putTag(world, params, tag, body.version);
    },
  }),
  route({
    method: "PATCH",
    path: `${PACKAGE_PATH}/tags/{tag}`,
    service,
    permission: "artifactregistry.tags.update",
    resource: repositoryName,
    body: tagBody,
    handle: async ({ world, params, body }) => {
      const tag = params["tag"] ?? "";
      if (!(await world.storage.tagMoved(imageOf(world, params), tag))) throw notFound();
      return putTag(world, params, tag, body.version);
    },
  }),
  route({
    method: "DELETE",
    path: `${PACKAGE_PATH}/tags/{tag}`,
    service,
    permission: "artifactregistry.tags.delete",
    resource: repositoryName,
    handle: async ({ world, params }) => {
      const image = imageOf(world, params);
      const tag = params["tag"] ?? "";
      if (!(await world.storage.tagMoved(image, tag))) throw notFound();
      await world.storage.deleteTag(image, tag);
      return {};
    },
  }),
  route({
    method: "GET",
    path: `${REPOSITORY_PATH}/dockerImages`,
    service,
    permission: "artifactregistry.dockerimages.list",
    resource: repositoryName,
    handle: async ({ world, params, query }) => {
      const images = await imagesIn(world, params);
      const versions = (await Promise.all(images.map((image) => versionsOf(world, image)))).flat();
      return page(
        "dockerImages",
        await Promise.all(versions.map((each) => dockerImage(world, params, each))),
        query,
      );
    },
  }),
  route({
    method: "GET",
    path: `${REPOSITORY_PATH}/dockerImages/{image*}`,
    service,
    permission: "artifactregistry.dockerimages.get",
    resource: repositoryName,
    handle: async ({ world, params }) => {
      const [path = "", reference = ""] = (params["image"] ?? "").split("@");
      const own = { ...params, package: path, version: reference };
      return dockerImage(world, params, await findVersion(world, own));
    },
  }),
];
