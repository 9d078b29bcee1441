import { createHash } from "node:crypto";
import { z } from "zod";
import project from "../../../package.json" with { type: "json" };
import { problemsError } from "../../../problems/problem.ts";
import { pulumiCommand } from "../../../problems/setting-commands.ts";
import type { Build } from "../tags/set-tags.ts";
import type { TagTarget } from "../tags/versions.ts";
import type { ImageRegistry } from "./image-registry.ts";

/** Media types of images and indexes. Classic engines push Docker's, engines with containerd's store push OCI's. */
const DOCKER = {
  image: "application/vnd.docker.distribution.manifest.v2+json",
  index: "application/vnd.docker.distribution.manifest.list.v2+json",
};
const OCI = {
  image: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
};
const INDEXES: readonly string[] = [DOCKER.index, OCI.index];
const ACCEPT = [DOCKER.image, DOCKER.index, OCI.image, OCI.index].join(", ");

/** A manifest, byte for byte. */
interface Manifest {
  digest: string;
  mediaType: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const indexManifest = z.object({
  manifests: z.array(
    z.object({
      mediaType: z.string(),
      digest: z.string(),
      size: z.number(),
      platform: z
        .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
        .optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

export interface ImageIndex {
  build: Build;
  /** Undefined for one platform, which needs no index. */
  manifest: Manifest | undefined;
}

/**
 * Makes an index of the images of all platforms. Its bytes depend only on these images.
 *
 * @param images the digest for each platform.
 * @throws one error if an image is not in the registry.
 */
export async function makeIndex(
  registry: ImageRegistry,
  image: string,
  images: ReadonlyMap<string, string>,
): Promise<ImageIndex> {
  const [only, ...others] = images.values();
  if (only !== undefined && others.length === 0)
    return { build: { digest: only, platforms: new Map() }, manifest: undefined };
  const children = await Promise.all(
    [...images].map(async ([platform, digest]) => {
      const [os = "", architecture = "", variant] = platform.split("/");
      const found = await platformImage(registry, image, digest, platform);
      return {
        mediaType: found.mediaType,
        digest: found.digest,
        size: found.size,
        platform: { architecture, os, ...(variant !== undefined && { variant }) },
      };
    }),
  );
  const mediaType = children.every((child) => child.mediaType === OCI.image) ? OCI.index : DOCKER.index;
  // Docker's manifest list has no annotations.
  const annotations = mediaType === OCI.index && { annotations: indexAnnotations(image) };
  const bytes = new TextEncoder().encode(
    JSON.stringify({ schemaVersion: 2, mediaType, manifests: children, ...annotations }),
  );
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const platforms = new Map(
    [...images.keys()].map((platform, index) => [platform, children[index]?.digest ?? ""]),
  );
  return { build: { digest, platforms }, manifest: { digest, mediaType, bytes } };
}

/**
 * Annotations that are the same for every commit, so that the index of unchanged images keeps its digest. Commit and
 * version are in the attestation. Source: https://github.com/opencontainers/image-spec/blob/main/annotations.md
 */
function indexAnnotations(image: string): Record<string, string> {
  return {
    "org.opencontainers.image.title": image,
    "org.opencontainers.image.source": project.repository,
    "org.opencontainers.image.licenses": project.license,
  };
}

/** Puts an index to the registry, without a tag. */
export async function putIndex(
  registry: ImageRegistry,
  image: string,
  { mediaType, digest, bytes }: Manifest,
): Promise<void> {
  await putManifest(registry, image, digest, mediaType, bytes);
}

/** Creates or moves a tag, by a PUT of the manifest. */
export async function putTag(registry: ImageRegistry, { image, tag, digest }: TagTarget): Promise<void> {
  const { mediaType, bytes } = await getManifest(registry, image, digest);
  await putManifest(registry, image, tag, mediaType, bytes);
}

/** Returns the digest of a tag; undefined if the tag does not exist. */
export async function manifestDigest(
  registry: ImageRegistry,
  image: string,
  tag: string,
): Promise<string | undefined> {
  const answer = await registry.request(image, `manifests/${tag}`, {
    method: "HEAD",
    headers: { Accept: ACCEPT },
  });
  if (answer.status === 404) return undefined;
  const digest = answer.headers.get("docker-content-digest");
  if (answer.ok && digest !== null) return digest;
  throw refused(registry, image, tag, `answered ${answer.status} to the question whether it exists`);
}

/** Returns the digest for each platform of an index; empty for an image. */
export async function indexPlatforms(
  registry: ImageRegistry,
  image: string,
  digest: string,
): Promise<ReadonlyMap<string, string>> {
  const manifest = await getManifest(registry, image, digest);
  if (!INDEXES.includes(manifest.mediaType)) return new Map();
  return new Map(
    childrenOf(manifest).flatMap((child) =>
      child.platform === undefined ? [] : [[platformName(child.platform), child.digest]],
    ),
  );
}

const imageManifest = z.object({
  config: z.object({ digest: z.string(), size: z.number() }),
  layers: z.array(z.object({ size: z.number() })),
});
const imageConfig = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });

/** An image of one platform, with its compressed size. */
export interface PlatformImage {
  platform: string;
  digest: string;
  bytes: number;
}

/** Returns the images of an index, or the image itself. */
export async function platformImages(
  registry: ImageRegistry,
  image: string,
  digest: string,
): Promise<PlatformImage[]> {
  const platforms = await indexPlatforms(registry, image, digest);
  const images: [string | undefined, string][] =
    platforms.size === 0 ? [[undefined, digest]] : [...platforms];
  return Promise.all(
    images.map(async ([platform, own]) => {
      const { bytes } = await getManifest(registry, image, own);
      const { config, layers } = imageManifest.parse(JSON.parse(new TextDecoder().decode(bytes)));
      return {
        platform: platform ?? (await configPlatform(registry, image, config.digest)),
        digest: own,
        bytes: layers.reduce((sum, { size }) => sum + size, config.size),
      };
    }),
  );
}

/** Reads the platform in an image's configuration. */
async function configPlatform(registry: ImageRegistry, image: string, config: string): Promise<string> {
  const answer = await registry.request(image, `blobs/${config}`);
  if (!answer.ok) throw refused(registry, image, config, `answered ${answer.status} to a request to read it`);
  return platformName(imageConfig.parse(await answer.json()));
}

/** Returns the image of one platform. An engine can push an index of the image and its attestations. */
async function platformImage(registry: ImageRegistry, image: string, digest: string, platform: string) {
  const manifest = await getManifest(registry, image, digest);
  if (!INDEXES.includes(manifest.mediaType))
    return { mediaType: manifest.mediaType, digest, size: manifest.bytes.byteLength };
  const child = childrenOf(manifest).find(
    (one) => one.platform !== undefined && platformName(one.platform) === platform,
  );
  if (child !== undefined) return child;
  throw refused(registry, image, digest, `an index without an image for ${platform}`);
}

function childrenOf({ bytes }: Manifest) {
  return indexManifest.parse(JSON.parse(new TextDecoder().decode(bytes))).manifests;
}

function platformName({
  os,
  architecture,
  variant,
}: {
  os: string;
  architecture: string;
  variant?: string | undefined;
}) {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}

async function getManifest(registry: ImageRegistry, image: string, reference: string): Promise<Manifest> {
  const answer = await registry.request(image, `manifests/${reference}`, { headers: { Accept: ACCEPT } });
  if (!answer.ok)
    throw refused(
      registry,
      image,
      reference,
      `answered ${answer.status} to a request to read it`,
      answer.status === 404 ? rebuildCommand() : undefined,
    );
  return {
    digest: reference,
    mediaType: answer.headers.get("content-type") ?? "",
    bytes: new Uint8Array(await answer.arrayBuffer()),
  };
}

async function putManifest(
  registry: ImageRegistry,
  image: string,
  reference: string,
  mediaType: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const answer = await registry.request(image, `manifests/${reference}`, {
    method: "PUT",
    headers: { "Content-Type": mediaType },
    body: bytes,
  });
  if (!answer.ok)
    throw refused(registry, image, reference, `answered ${answer.status} to a request to put it there`);
}

/** Builds images that were deleted from the registry, which the docker plugin does not notice. */
export const rebuildCommand = (): string =>
  `${pulumiCommand("up --replace '**docker:index/image:Image**'")}   # builds and pushes the images again`;

function refused(
  registry: ImageRegistry,
  image: string,
  reference: string,
  found: string,
  fix = "gcloud auth application-default login   # then the same command again",
): Error {
  const separator = reference.startsWith("sha256:") ? "@" : ":";
  return problemsError(
    [
      {
        where: `${registry.url}/${image}${separator}${reference}`,
        found: found.startsWith("answered") ? `the registry ${found}` : found,
        allowed:
          "a registry that has what this run pushed, and an account with permission to push (roles/artifactregistry.writer)",
        fix,
      },
    ],
    "what was set stays",
  );
}
