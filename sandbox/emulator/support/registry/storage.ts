import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** A manifest, as far as the sandbox reads it. */
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
 * What Distribution keeps in its folder and does not tell over HTTP: versions without a tag, when
 * each was pushed; and what it cannot delete: a tag, an image, a repository. Tags and manifests are read here too, since a
 * file takes a tenth of a request.
 */
export class RegistryStorage {
  private readonly repositories: string;
  private readonly blobs: string;

  /** `folder` is the registry's `rootdirectory`. */
  constructor(folder: string) {
    const root = join(folder, "docker", "registry", "v2");
    this.repositories = join(root, "repositories");
    this.blobs = join(root, "blobs");
  }

  private manifests(image: string): string {
    return join(this.repositories, image, "_manifests");
  }

  private blob(hash: string): string {
    return join(this.blobs, "sha256", hash.slice(0, 2), hash, "data");
  }

  /** Digests of all versions of an image, tagged or not, with the moment of the first push. */
  async versions(image: string): Promise<{ digest: string; pushed: Date }[]> {
    const folder = join(this.manifests(image), "revisions", "sha256");
    const found = await Promise.all(
      (await names(folder)).map(async (hash) => {
        const linked = await modified(join(folder, hash, "link"));
        // The link is written anew with every tag; the manifest is written once.
        const pushed = linked && (await modified(this.blob(hash)));
        return pushed && { digest: `sha256:${hash}`, pushed };
      }),
    );
    return found.filter((version) => version !== undefined);
  }

  private tagLink(image: string, tag: string): string {
    return join(this.manifests(image), "tags", tag, "current", "link");
  }

  /** When a tag was last moved; undefined for a tag that does not exist. */
  tagMoved(image: string, tag: string): Promise<Date | undefined> {
    return modified(this.tagLink(image, tag));
  }

  /** The digest that a tag stands on; undefined for a tag that does not exist. */
  tagDigest(image: string, tag: string): Promise<string | undefined> {
    return unlessMissing(readFile(this.tagLink(image, tag), "utf8"));
  }

  /** Tags of an image with the digest of each; empty for an image that does not exist. */
  async tags(image: string): Promise<{ tag: string; digest: string }[]> {
    const all = await names(join(this.manifests(image), "tags"));
    const tags = await Promise.all(
      all.map(async (tag) => ({ tag, digest: await this.tagDigest(image, tag) })),
    );
    return tags.filter((each): each is { tag: string; digest: string } => each.digest !== undefined);
  }

  /** A manifest as it was pushed; undefined where the image has no such version. */
  async manifest(image: string, digest: string): Promise<string | undefined> {
    const hash = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
    if (hash === undefined) return undefined;
    const linked = await modified(join(this.manifests(image), "revisions", "sha256", hash, "link"));
    return linked && (await readFile(this.blob(hash), "utf8"));
  }

  /** What all versions of all images below a name take, in bytes; a blob that they share counts once. */
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

  async deleteTag(image: string, tag: string): Promise<void> {
    await rm(join(this.manifests(image), "tags", tag), { recursive: true, force: true });
  }

  /** Deletes an image or a whole repository; its blobs stay until the registry collects its garbage. */
  async deleteBelow(name: string): Promise<void> {
    await rm(join(this.repositories, name), { recursive: true, force: true });
  }
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
