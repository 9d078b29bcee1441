import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * What Distribution keeps in its folder and does not tell over HTTP: versions without a tag, when
 * each was pushed; and what it cannot delete: a tag, an image, a repository.
 */
export class RegistryStorage {
  private readonly repositories: string;

  /** `folder` is the registry's `rootdirectory`. */
  constructor(folder: string) {
    this.repositories = join(folder, "docker", "registry", "v2", "repositories");
  }

  private manifests(image: string): string {
    return join(this.repositories, image, "_manifests");
  }

  /** Digests of all versions of an image, tagged or not, with the moment of the push. */
  async versions(image: string): Promise<{ digest: string; pushed: Date }[]> {
    const folder = join(this.manifests(image), "revisions", "sha256");
    const found = await Promise.all(
      (await names(folder)).map(async (hash) => {
        const pushed = await modified(join(folder, hash, "link"));
        return pushed && { digest: `sha256:${hash}`, pushed };
      }),
    );
    return found.filter((version) => version !== undefined);
  }

  /** When a tag was last moved; undefined for a tag that does not exist. */
  tagMoved(image: string, tag: string): Promise<Date | undefined> {
    return modified(join(this.manifests(image), "tags", tag, "current", "link"));
  }

  async deleteTag(image: string, tag: string): Promise<void> {
    await rm(join(this.manifests(image), "tags", tag), { recursive: true, force: true });
  }

  /** Deletes an image or a whole repository; its blobs stay until the registry collects its garbage. */
  async deleteBelow(name: string): Promise<void> {
    await rm(join(this.repositories, name), { recursive: true, force: true });
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function modified(file: string): Promise<Date | undefined> {
  try {
    return (await stat(file)).mtime;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
