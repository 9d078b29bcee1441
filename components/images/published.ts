import compare from "semver/functions/compare.js";
import { candidateTag, isVersion, type Line, prefixedTag, withdrawnTag } from "./tags.ts";

/** The tags of each image of the catalogue, with the digest that each stands on; an image that was never pushed has none. */
export type RegistryTags = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** A version of which at least one image has a tag. */
export interface PublishedVersion {
  version: string;
  /** By image that it was released with, the digest. */
  digests: ReadonlyMap<string, string>;
  /** Every one of these images has its tag; a run that was killed leaves some without. */
  complete: boolean;
  /** The floating tags were set, as far as they were to be: `v1.4.2` is the last of a release. */
  announced: boolean;
  /** Floating tags were taken back from it. */
  withdrawn: boolean;
  /** It was withdrawn and its tag was removed since. */
  removed: boolean;
}

/**
 * What the registry holds of a version, or undefined where no image has its tag.
 *
 * A run marks every build as a candidate before it sets the first tag of the version, so that the candidates of a
 * version that has begun are its images: one without any of the tags was added to the catalogue later. A version that
 * was published before there were candidates, or by hand, has the images that have its tag.
 */
export function publishedVersion(registry: RegistryTags, version: string): PublishedVersion | undefined {
  const own = [version, prefixedTag(version)];
  const images = [...registry].map(([image, tags]) => {
    const digests = [...own, candidateTag(version)].map((tag) => tags.get(tag));
    return { image, tags, digest: digests.find((digest) => digest !== undefined) };
  });
  const having = (...wanted: string[]) => images.filter(({ tags }) => wanted.some((tag) => tags.has(tag)));
  const withdrawn = having(withdrawnTag(version)).length > 0;
  if (having(...own).length === 0) return undefined;
  const digests = new Map(
    images.flatMap(({ image, digest }) => (digest === undefined ? [] : [[image, digest]])),
  );
  return {
    version,
    digests,
    complete: having(...own).length === digests.size,
    announced: having(prefixedTag(version)).length > 0 || having(candidateTag(version)).length === 0,
    withdrawn,
    removed: withdrawn && having(version).length < digests.size,
  };
}

/** Every version that at least one image has the tag of, the lowest first. */
export function begunVersions(registry: RegistryTags): PublishedVersion[] {
  return versionsAfter(registry, /^v?/).flatMap((version) => publishedVersion(registry, version) ?? []);
}

/** Every version that floating tags were taken back from, its own tags gone or not; the lowest first. */
export function withdrawnVersions(registry: RegistryTags): string[] {
  return versionsAfter(registry, new RegExp(`^${withdrawnTag("")}`));
}

function versionsAfter(registry: RegistryTags, prefix: RegExp): string[] {
  const tags = new Set([...registry.values()].flatMap((ofImage) => [...ofImage.keys()]));
  const rests = [...tags].filter((tag) => prefix.test(tag)).map((tag) => tag.replace(prefix, ""));
  return [...new Set(rests.filter(isVersion))].sort(compare);
}

/** The published versions of a line, the lowest first: whole, and not removed. */
export function publishedIn(line: Line, begun: readonly PublishedVersion[]): PublishedVersion[] {
  return begun.filter(({ version, complete, removed }) => complete && !removed && line.holds(version));
}

/** A tag to put on a digest. */
export interface Mark {
  image: string;
  tag: string;
  digest: string;
}
