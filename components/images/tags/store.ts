import type { RegistryTags, TagTarget } from "./versions.ts";

/** A registry's tags. */
export interface TagStore {
  /** The tags of every image of the catalogue, in its order. */
  read: () => Promise<RegistryTags>;
  /** Creates a tag. Returns false if the tag exists, with any digest. */
  create: (target: TagTarget) => Promise<boolean>;
  /** Creates or moves a tag. @param exists whether the tag was in the last list. */
  set: (target: TagTarget, exists: boolean) => Promise<void>;
  /** How long a change can be missing from a list, in milliseconds. */
  lagMs: number;
  /** Returns the digest for each platform of an index; empty for an image. */
  platforms: (image: string, digest: string) => Promise<ReadonlyMap<string, string>>;
}

/** A copy of a registry's tags, to find out what a run would change. */
export class TagCopy implements TagStore {
  readonly lagMs = 0;
  readonly #tags: Map<string, Map<string, string>>;

  constructor(registry: RegistryTags) {
    this.#tags = copyTags(registry);
  }

  read(): Promise<RegistryTags> {
    return Promise.resolve(copyTags(this.#tags));
  }

  create(target: TagTarget): Promise<boolean> {
    if (this.#tags.get(target.image)?.has(target.tag) === true) return Promise.resolve(false);
    return this.set(target).then(() => true);
  }

  set({ image, tag, digest }: TagTarget): Promise<void> {
    this.#tags.get(image)?.set(tag, digest);
    return Promise.resolve();
  }

  platforms(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map());
  }
}

export function copyTags(registry: RegistryTags): Map<string, Map<string, string>> {
  return new Map([...registry].map(([image, tags]) => [image, new Map(tags)]));
}
