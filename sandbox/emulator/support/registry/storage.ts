import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeWhole } from "../../../lib/files.ts";

/** The fields of a manifest that the sandbox reads. */
export interface Manifest {
  mediaType?: string;
  artifactType?: string;
  config?: { digest: string; size: number; mediaType?: string };
  layers?: { digest: string; size: number }[];
  manifests?: {
    size: number;
    digest: string;
    mediaType: string;
    platform?: { architecture: string; os: string };
  }[];
}

/**
 * The registry's folder. Distribution's API lists neither untagged versions nor push times, and does not delete tags, images
 * and repositories. It keeps no copy of these files in memory, and a file takes a tenth of the time of a request.
 */
export class RegistryStorage {
  private readonly repositories: string;
  private readonly blobs: string;

  /** @param folder the registry's `rootdirectory`. */
  constructor(folder: string) {
    const root = join(folder, "docker", "registry", "v2");
    this.repositories = join(root, "repositories");
    this.blobs = join(root, "blobs");
  }

  private manifests(image: string): string {
    return join(this.repositories, image, "_manifests");
  }

  private revision(image: string, hash: string): string {
    return join(this.manifests(image), "revisions", "sha256", hash);
  }

  private blob(hash: string): string {
    return join(this.blobs, "sha256", hash.slice(0, 2), hash, "data");
  }

  /** Full names, `PROJECT/REPOSITORY/IMAGE`, of the images of a repository. */
  async images(repository: string): Promise<string[]> {
    const paths = await names(join(this.repositories, repository), true);
    return paths
      .filter((path) => basename(path) === "_manifests")
      .map((path) => `${repository}/${dirname(path)}`);
  }

  /** All versions of an image, tagged or not, with the time of the first push. */
  async versions(image: string): Promise<{ digest: string; pushed: Date }[]> {
    const folder = join(this.manifests(image), "revisions", "sha256");
    const found = await Promise.all(
      (await names(folder)).map(async (hash) => {
        const linked = await modified(join(folder, hash, "link"));
        // Each new tag rewrites the link; the manifest is written once.
        const pushed = linked && (await modified(this.blob(hash)));
        return pushed && { digest: `sha256:${hash}`, pushed };
      }),
    );
    return found.filter((version) => version !== undefined);
  }

  private tag(image: string, tag: string): string {
    return join(this.manifests(image), "tags", tag);
  }

  private tagLink(image: string, tag: string): string {
    return join(this.tag(image, tag), "current", "link");
  }

  /** When a tag was last set; undefined if it does not exist. */
  tagMoved(image: string, tag: string): Promise<Date | undefined> {
    return modified(this.tagLink(image, tag));
  }

  /** The digest of a tag; undefined if it does not exist. */
  tagDigest(image: string, tag: string): Promise<string | undefined> {
    return unlessMissing(readFile(this.tagLink(image, tag), "utf8"));
  }

  /** The tags of an image; none if it does not exist. */
  async tags(image: string): Promise<{ tag: string; digest: string }[]> {
    const all = await names(join(this.manifests(image), "tags"));
    const tags = await Promise.all(
      all.map(async (tag) => ({ tag, digest: await this.tagDigest(image, tag) })),
    );
    return tags.filter((each): each is { tag: string; digest: string } => each.digest !== undefined);
  }

  /** A manifest as pushed; undefined if it does not exist. */
  async manifest(image: string, digest: string): Promise<string | undefined> {
    const hash = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
    if (hash === undefined) return undefined;
    const linked = await modified(join(this.revision(image, hash), "link"));
    return linked && (await readFile(this.blob(hash), "utf8"));
  }

  /** An image's configuration. */
  async config(digest: string): Promise<{ created?: string }> {
    const text = await unlessMissing(readFile(this.blob(hashOf(digest)), "utf8"));
    return JSON.parse(text ?? "{}") as { created?: string };
  }

  /** Size of all versions of all images below a name, in bytes. Counts shared blobs once. */
  async storedBytes(name: string): Promise<number> {
    const sizes = new Map<string, number>();
    for (const path of await names(join(this.repositories, name), true)) {
      const hash = /\/_manifests\/revisions\/sha256\/([0-9a-f]{64})\/link$/.exec(path)?.[1];
      if (hash === undefined) continue;
      const text = await readFile(this.blob(hash));
      const { config, layers = [] } = JSON.parse(text.toString()) as Manifest;
      sizes.set(`sha256:${hash}`, text.length);
      for (const { digest, size } of config ? [config, ...layers] : layers) sizes.set(digest, size);
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  /** Sets a tag to an existing version, with the files that a push writes. */
  async setTag(image: string, tag: string, digest: string): Promise<void> {
    await writeWhole(join(this.tag(image, tag), "index", "sha256", hashOf(digest), "link"), digest);
    await writeWhole(this.tagLink(image, tag), digest);
  }

  async deleteTag(image: string, tag: string): Promise<void> {
    await rm(this.tag(image, tag), { recursive: true, force: true });
  }

  /** Deletes a version and its tags. */
  async deleteVersion(image: string, digest: string): Promise<void> {
    for (const each of await this.tags(image))
      if (each.digest === digest) await this.deleteTag(image, each.tag);
    await rm(this.revision(image, hashOf(digest)), { recursive: true, force: true });
  }

  /** Deletes an image or a repository. Its blobs remain until garbage collection. */
  async deleteBelow(name: string): Promise<void> {
    await rm(join(this.repositories, name), { recursive: true, force: true });
  }
}

function hashOf(digest: string): string {
  return digest.replace(/^sha256:/, "");
}

async function names(folder: string, recursive = false): Promise<string[]> {
  return ((await unlessMissing(readdir(folder, { recursive }))) ?? []).sort();
}

async function modified(file: string): Promise<Date | undefined> {
  return (await unlessMissing(stat(file)))?.mtime;
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
