import compare from "semver/functions/compare.js";
import inc from "semver/functions/inc.js";
import type { Problem } from "../../../problems/problem.ts";
import { releaseCommand, reportCommand } from "../../../problems/setting-commands.ts";
import { isVersion, isWorkingTag, type Line, lines, ownTags, versionBuildTag } from "./names.ts";
import {
  floatingVersion,
  mentionedVersions,
  type RegistryTags,
  startedVersions,
  type TagTarget,
  versionDigests,
} from "./versions.ts";

/** Returns the next version of the same line that is in no tag. */
export function nextVersion(version: string, registry: RegistryTags): string {
  const known = new Set(mentionedVersions(registry));
  const step = lines(version).length > 0 ? "patch" : "prerelease";
  let next = version;
  do next = inc(next, step) ?? "VERSION";
  while (known.has(next));
  return next;
}

/** The problem of a run whose builds differ from those of the version. */
export function otherBuild(
  registry: RegistryTags,
  version: string,
  { image, digest }: TagTarget,
  found: string | undefined,
): Problem {
  return {
    where: `${image}:${versionBuildTag(version)}`,
    found: `${found ?? "a tag that the registry does not list"}, set by a run that did not finish; this build is ${digest}`,
    allowed: "the same sources as that run, or another version",
    fix: `${releaseCommand(nextVersion(version, registry))}   # or, to publish this build all the same: ${releaseCommand(version, "--overwrite")}`,
  };
}

/** The problems of floating tags that other runs keep moving. */
export function unsettled(registry: RegistryTags, targets: readonly TagTarget[]): Problem[] {
  return targets.map(({ image, tag, digest }) => ({
    where: `${image}:${tag}`,
    found: `${registry.get(image)?.get(tag) ?? "no such tag"}, although it was set several times`,
    allowed: digest,
    fix: `${reportCommand()}   # then the same command again, when no other run is under way`,
  }));
}

/** Notes about a version after a run. */
export function versionNotes(
  registry: RegistryTags,
  version: string,
  builds: ReadonlyMap<string, { digest: string }>,
): string[] {
  const digests = versionDigests(registry, version);
  const differing = [...digests].filter(
    ([image, digest]) => (builds.get(image)?.digest ?? digest) !== digest,
  );
  const added = [...registry.keys()].filter((image) => !digests.has(image));
  return [
    ...(differing.length === 0
      ? []
      : [
          `The sources of ${list(differing.map(([image]) => image))} differ from ${version}, which stays as it is. To publish them: ${releaseCommand(nextVersion(version, registry))}`,
        ]),
    ...(added.length === 0 ? [] : [`${version} does not include ${list(added)}. The next version does.`]),
    ...movedTagNotes(registry, version),
  ];
}

/** Notes about own tags of a version that are not on its build. */
export function movedTagNotes(registry: RegistryTags, version: string): string[] {
  const moved = [...versionDigests(registry, version)].flatMap(([image, digest]) =>
    ownTags(version)
      .filter((tag) => (registry.get(image)?.get(tag) ?? digest) !== digest)
      .map((tag) => `${image}:${tag}`),
  );
  return moved.length === 0
    ? []
    : [
        `${list(moved)} ${moved.length > 1 ? "are" : "is"} not on ${versionBuildTag(version)}: moved by hand, or by an overwrite that did not finish. To put this build there: ${releaseCommand(version, "--overwrite")}`,
      ];
}

/** Notes about floating tags whose line has no eligible version. */
export function lineNotes(registry: RegistryTags, own: readonly Line[]): string[] {
  const versions = startedVersions(registry);
  const stale = own
    .filter((line) => floatingVersion(line, versions) === undefined)
    .map(({ tag }) => tag)
    .filter((tag) => [...registry.values()].some((tags) => tags.has(tag)));
  return stale.length === 0
    ? []
    : [
        `${list(stale)} ${stale.length > 1 ? "stay" : "stays"}: the line has no complete version that is not withdrawn.`,
      ];
}

/**
 * Describes the changes of a run, one line for each image:
 * `hyperion-ui: 1.4.3, v1.4.3 -> a new build; 1.4, 1, latest: 1.4.2 -> a new build`. Leaves working tags out.
 *
 * @param newBuilds placeholders for the digests of future builds.
 */
export function describeChanges(
  { before, after }: { before: RegistryTags; after: RegistryTags },
  newBuilds: ReadonlySet<string> = new Set(),
): string[] {
  return [...after].flatMap(([image, tags]) => {
    const old = before.get(image) ?? new Map<string, string>();
    const groups = new Map<string, string[]>();
    const changed = [...tags].filter(([tag, digest]) => !isWorkingTag(tag) && old.get(tag) !== digest);
    for (const [tag, digest] of changed.sort(([one], [other]) => rank(one) - rank(other))) {
      const from = old.get(tag);
      const to = newBuilds.has(digest) ? "a new build" : shortDigest(digest);
      const [was, is] = [from === undefined ? undefined : versionOn(old, from), versionOn(tags, digest)];
      // The version of an overwritten tag has the same name before and after.
      const versions = was === is ? [] : [was, is];
      const move =
        from === undefined ? ` -> ${to}` : `: ${versions[0] ?? shortDigest(from)} -> ${versions[1] ?? to}`;
      groups.set(move, [...(groups.get(move) ?? []), tag]);
    }
    const parts = [...groups].map(([move, names]) => `${names.join(", ")}${move}`);
    return parts.length === 0 ? [] : [`${image}: ${parts.join("; ")}`];
  });
}

/** Order of tags in messages: own tags, then floating tags, the narrowest first. */
const ORDER = [
  isVersion,
  (tag: string) => isVersion(tag.slice(1)),
  ...[/^\d+\.\d+$/, /^\d+$/, /^latest$/].map(matches),
];

function matches(form: RegExp): (tag: string) => boolean {
  return (tag) => form.test(tag);
}

function rank(tag: string): number {
  const found = ORDER.findIndex((isOne) => isOne(tag));
  return found < 0 ? ORDER.length : found;
}

/** The highest version that a digest has as a tag. */
function versionOn(tags: ReadonlyMap<string, string>, digest: string): string | undefined {
  return [...tags]
    .filter(([tag, on]) => on === digest && isVersion(tag))
    .map(([tag]) => tag)
    .sort(compare)
    .at(-1);
}

/** Shortens a digest as the docker command does. */
function shortDigest(digest: string): string {
  return digest.replace(/^(sha256:[0-9a-f]{12}).*$/, "$1");
}

function list(items: readonly string[]): string {
  return new Intl.ListFormat("en").format(items).replace(", and", " and");
}
