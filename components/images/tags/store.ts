import type { RegistryTags, TagTarget } from "./versions.ts";

/** Where tags are read and set. */
export interface TagStore {
  /** The tags of every image of the catalogue, in its order. */
  read: () => Promise<RegistryTags>;
  /** Creates a tag. Returns false if the tag exists, on whatever digest. */
  create: (target: TagTarget) => Promise<boolean>;
  /** Creates or moves a tag; `exists` says what the last list has. */
  set: (target: TagTarget, exists: boolean) => Promise<void>;
  /** How long a list can lag behind what was set, in milliseconds. */
  lagMs: number;
  /** The images of an index, by platform; empty for a digest that is not an index. */
  platforms: (image: string, digest: string) => Promise<ReadonlyMap<string, string>>;
}

/** A copy of a registry's tags: what a run would do to the registry is what it does to the copy. */
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
