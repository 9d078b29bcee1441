import { z } from "zod";
import type { ImageRegistry } from "../../components/images/registry/image-registry.ts";
import { indexPlatforms, manifestDigest, putTag } from "../../components/images/registry/manifests.ts";
import type { TagStore } from "../../components/images/tags/store.ts";
import type { RegistryTags, TagTarget } from "../../components/images/tags/versions.ts";
import { problemsError } from "../../problems/problem.ts";

const tagList = z.object({ tags: z.array(z.string()).nullable().default([]) });

/**
 * The tags of a registry through its own protocol, for callers without a Google login. The protocol has no create that fails
 * for an existing tag; this class asks first, which is not safe for two runs at the same time.
 */
export class DistributionTags implements TagStore {
  readonly lagMs = 100;
  readonly #registry: ImageRegistry;
  readonly #images: readonly string[];

  constructor(registry: ImageRegistry, images: readonly string[]) {
    this.#registry = registry;
    this.#images = images;
  }

  /** Sends one request for each image and one for each tag. */
  async read(): Promise<RegistryTags> {
    return new Map(
      await Promise.all(this.#images.map(async (image) => [image, await this.#readTags(image)] as const)),
    );
  }

  async create(target: TagTarget): Promise<boolean> {
    if ((await manifestDigest(this.#registry, target.image, target.tag)) !== undefined) return false;
    await putTag(this.#registry, target);
    return true;
  }

  async set(target: TagTarget): Promise<void> {
    await putTag(this.#registry, target);
  }

  platforms(image: string, digest: string): Promise<ReadonlyMap<string, string>> {
    return indexPlatforms(this.#registry, image, digest);
  }

  async #readTags(image: string): Promise<Map<string, string>> {
    const answer = await this.#registry.request(image, "tags/list");
    if (answer.status === 404) return new Map();
    if (!answer.ok)
      throw problemsError([
        {
          where: `${this.#registry.url}/${image}`,
          found: `the registry answered ${answer.status} to a request to list the tags`,
          allowed: "an account with permission to read the tags",
          fix: `docker login ${this.#registry.url.replace(/\/.*/, "")}`,
        },
      ]);
    const { tags } = tagList.parse(await answer.json());
    const found = await Promise.all(
      (tags ?? []).map(async (tag) => [tag, await manifestDigest(this.#registry, image, tag)] as const),
    );
    return new Map(found.flatMap(([tag, digest]) => (digest === undefined ? [] : [[tag, digest]])));
  }
}
