import compare from "semver/functions/compare.js";
import { isVersion, type Line, ownTags, prefixedTag, versionBuildTag, withdrawnTag } from "./names.ts";

/** The tags of each image of the catalogue with their digests. An image that was never pushed has no tags. */
export type RegistryTags = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** A tag with the digest that it should have. */
export interface TagTarget {
  image: string;
  tag: string;
  digest: string;
}

/** A version of which at least one image has an own tag. */
export interface StartedVersion {
  version: string;
  /** The digest of each image that belongs to the version. */
  digests: ReadonlyMap<string, string>;
  /** Whether each of these images has the version's tag. */
  complete: boolean;
  withdrawn: boolean;
}

/** Every version of which at least one image has an own tag, lowest first. */
export function startedVersions(registry: RegistryTags): StartedVersion[] {
  return versionsIn(registry, /^v?/).map((version) => {
    const digests = versionDigests(registry, version);
    return {
      version,
      digests,
      complete: [...digests.keys()].every((image) => registry.get(image)?.has(version)),
      withdrawn: isWithdrawn(registry, version),
    };
  });
}

/** Every version in the name of any tag: own tags, build tags and withdrawals; lowest first. */
export function mentionedVersions(registry: RegistryTags): string[] {
  return versionsIn(registry, new RegExp(`^(?:${versionBuildTag("")}|${withdrawnTag("")}|v?)`));
}

function versionsIn(registry: RegistryTags, prefix: RegExp): string[] {
  const tags = new Set([...registry.values()].flatMap((ofImage) => [...ofImage.keys()]));
  return [...new Set([...tags].map((tag) => tag.replace(prefix, "")).filter(isVersion))].sort(compare);
}

/**
 * The digest of each image that belongs to a version.
 *
 * `build-1.4.2` decides, because own tags can be moved by hand. A version that was tagged by hand has own tags only.
 */
export function versionDigests(registry: RegistryTags, version: string): Map<string, string> {
  const deciding = [versionBuildTag(version), version, prefixedTag(version)];
  return new Map(
    [...registry].flatMap(([image, tags]) => {
      const tag = deciding.find((one) => tags.has(one));
      const digest = tag === undefined ? undefined : tags.get(tag);
      return digest === undefined ? [] : [[image, digest]];
    }),
  );
}

/** Whether any image has an own tag of the version. */
export function isStarted(registry: RegistryTags, version: string): boolean {
  return [...registry.values()].some((tags) => ownTags(version).some((tag) => tags.has(tag)));
}

/** Whether the version is excluded from floating tags. */
export function isWithdrawn(registry: RegistryTags, version: string): boolean {
  return [...registry.values()].some((tags) => tags.has(withdrawnTag(version)));
}

/** The version of a floating tag: the highest in its line that is complete and not withdrawn. */
export function floatingVersion(line: Line, versions: readonly StartedVersion[]): StartedVersion | undefined {
  return versions.findLast(
    ({ version, complete, withdrawn }) => complete && !withdrawn && line.holds(version),
  );
}

/** The floating tags of these lines that are missing or have a wrong digest, with the right digests. */
export function misplacedFloatingTags(registry: RegistryTags, lines: readonly Line[]): TagTarget[] {
  const versions = startedVersions(registry);
  return lines.flatMap((line) =>
    [...(floatingVersion(line, versions)?.digests ?? [])]
      .map(([image, digest]) => ({ image, tag: line.tag, digest }))
      .filter(({ image, tag, digest }) => registry.get(image)?.get(tag) !== digest),
  );
}
