import compare from "semver/functions/compare.js";
import inc from "semver/functions/inc.js";
import type { Problem } from "../../problems/problem.ts";
import {
  begunVersions,
  type Mark,
  publishedIn,
  type PublishedVersion,
  publishedVersion,
  type RegistryTags,
  withdrawnVersions,
} from "./published.ts";
import {
  candidateTag,
  commitTag,
  type Line,
  lines,
  prefixedTag,
  type Release,
  withdrawnTag,
} from "./tags.ts";
import { configRemove, configSet, settingKey } from "../../problems/setting-commands.ts";

/** What a run sets on one image. All of it stands on one digest. */
export interface ImagePlan {
  /** The digest of a version that is published already; undefined: the build in hand. */
  digest: string | undefined;
  /**
   * The tags, in three steps: those of the release's own, then the floating ones, then `v1.4.2`. A step begins when every
   * image has the one before.
   */
  steps: readonly [own: readonly string[], floating: readonly string[], last: readonly string[]];
}

/** Whose floating tags a run sets, and what was published when that was decided. */
interface Race {
  version: string;
  published: ReadonlySet<string>;
}

/** What a run does, decided before it begins: the same at preview and at `up`. */
export interface Plan {
  /** By image of the catalogue. */
  images: ReadonlyMap<string, ImagePlan>;
  /** Set on every build in hand before the first tag of a new version; undefined: there is none. */
  candidate: string | undefined;
  /** Set before the floating tags are moved. */
  marks: readonly Mark[];
  /** What is asked again while the floating tags are set, because another run may overtake this one; none at a rollback. */
  race: Race | undefined;
  /** What is left alone and why, each in one line. */
  notes: readonly string[];
  /** Nothing may begin while there is one. */
  problems: readonly Problem[];
}

const VERSION = settingKey("version");

/**
 * Which tags a run sets on which digest, given what the registry holds.
 *
 * @param registry the tags of every image of the catalogue, in its order.
 */
export function planRelease(release: Release, registry: RegistryTags): Plan {
  const { version, revision, releaseDate } = release;
  if (version === undefined)
    return revision === undefined && releaseDate === undefined
      ? planUnnamed(registry)
      : planBuild(release, registry);
  const found = publishedVersion(registry, version);
  if (release.rollback) return planRollback(version, found, registry);
  if (release.allowVersionOverwrite) return planNew(version, release, registry, floatingOn(found, registry));
  if (found === undefined ? withdrawnVersions(registry).includes(version) : found.removed)
    return refuse(registry, withdrawn(version));
  return found === undefined
    ? planNew(version, release, registry, lines(version))
    : planPublished(found, release, registry);
}

/** The build in hand under a version that is not published, or that is overwritten. */
function planNew(version: string, release: Release, registry: RegistryTags, mayMove: readonly Line[]): Plan {
  const { moved, notes } = forward(version, mayMove, registry);
  const own = [version, ...(release.revision === undefined ? [] : [commitTag(release.revision)])];
  return {
    ...nothing,
    images: each(registry, () => ({ digest: undefined, steps: [own, moved, [prefixedTag(version)]] })),
    candidate: candidateTag(version),
    race: race(version, moved, registry),
    notes,
  };
}

/** A version that has begun: what it stands on stays, and what it lacks is completed from its own builds. */
function planPublished(found: PublishedVersion, release: Release, registry: RegistryTags): Plan {
  const { version, digests, complete, announced } = found;
  const commit = release.revision === undefined ? [] : [commitTag(release.revision)];
  const pending = announced || found.withdrawn ? undefined : forward(version, lines(version), registry);
  const floating = pending?.moved ?? floatingOn(found, registry).map(({ tag }) => tag);
  const left = lines(version).filter(({ tag }) => !floating.includes(tag));
  return {
    ...nothing,
    images: each(registry, (image, tags) => {
      const digest = digests.get(image);
      if (digest === undefined) return NO_TAGS;
      const own = [version, ...commit.filter((tag) => (tags.get(tag) ?? digest) === digest)];
      return { digest, steps: [own, floating, [prefixedTag(version)]] };
    }),
    race: race(version, floating, registry),
    notes: [
      ...(complete
        ? []
        : [`${version} is published in part; what it lacks is set on the builds of that run.`]),
      ...addedLater(found, registry),
      ...(pending?.notes ??
        (left.length > 0
          ? [
              `${list(left.map(({ tag }) => tag))} ${left.length > 1 ? "stand" : "stands"} elsewhere than on ${version}, and only a rollback moves ${left.length > 1 ? "them" : "it"}: npm run release -- ${version} --rollback`,
            ]
          : [])),
    ],
  };
}

/**
 * Floating tags back to a published version. Only the narrowest line that holds anything above it goes back: 1.4.3 is
 * withdrawn by going back to 1.4.2, and `latest`, on 2.0.0, stays.
 */
function planRollback(version: string, found: PublishedVersion | undefined, registry: RegistryTags): Plan {
  const own = lines(version);
  if (own.length === 0) return refuse(registry, prereleaseRollback(version));
  if (found === undefined || !found.complete || found.removed) return refuse(registry, notPublished(version));
  const begun = begunVersions(registry);
  const above = (other: string): boolean => compare(other, version) > 0;
  const names = [...begun.map((one) => one.version), ...withdrawnVersions(registry)].filter(above);
  const back = own.find((line) => names.some(line.holds));
  const blocking = (line: Line) =>
    publishedIn(line, begun).findLast((one) => above(one.version) && back?.holds(one.version) !== true);
  const floating = own.filter((line) => blocking(line) === undefined).map(({ tag }) => tag);
  return {
    ...nothing,
    images: each(registry, (image) => {
      const digest = found.digests.get(image);
      return digest === undefined
        ? NO_TAGS
        : { digest, steps: [[version], floating, [prefixedTag(version)]] };
    }),
    marks: begun
      .filter((one) => above(one.version) && back?.holds(one.version) === true)
      .flatMap((one) =>
        [...one.digests].map(([image, digest]) => ({ image, tag: withdrawnTag(one.version), digest })),
      )
      .filter(({ image, tag }) => registry.get(image)?.has(tag) !== true),
    notes: [...addedLater(found, registry), ...stays(own.map((line) => [line.tag, blocking(line)?.version]))],
  };
}

/** A build of main: its commit, and at the tip `edge` and the day. */
function planBuild({ revision, releaseDate, edge }: Release, registry: RegistryTags): Plan {
  const atTip = ["edge", ...(releaseDate === undefined ? [] : [releaseDate])];
  const own = [...(revision === undefined ? [] : [commitTag(revision)]), ...(edge ? atTip : [])];
  return {
    ...nothing,
    images: each(registry, () => ({ digest: undefined, steps: [own, [], []] })),
    notes: edge
      ? []
      : [
          `${list(atTip)} ${atTip.length > 1 ? "stay" : "stays"}: only the tip of main moves that (setting edge).`,
        ],
  };
}

/** `latest` until there is a stable version to follow; then nothing. */
function planUnnamed(registry: RegistryTags): Plan {
  const stable = begunVersions(registry).filter(({ version }) => lines(version).length > 0);
  const highest = stable.at(-1);
  return {
    ...nothing,
    images: each(registry, () =>
      highest === undefined ? { digest: undefined, steps: [["latest"], [], []] } : NO_TAGS,
    ),
    notes:
      highest === undefined
        ? []
        : [
            `No version is named, so that no tag is declared; what is published stays in the registry. To name it: ${configSet("version", highest.version)}`,
          ],
  };
}

/** The lines that a version moves, and in words those that something higher holds. */
function forward(
  version: string,
  mayMove: readonly Line[],
  registry: RegistryTags,
): { moved: string[]; notes: string[] } {
  const begun = begunVersions(registry);
  const higher = mayMove.map((line): [string, string | undefined] => [
    line.tag,
    higherIn(line, version, begun, registry),
  ]);
  return {
    moved: higher.flatMap(([tag, by]) => (by === undefined ? [tag] : [])),
    notes: stays(higher),
  };
}

/**
 * The highest version above this one that keeps a line's tag from it. A withdrawn one does so where the tag was taken
 * back to another version; where an image of it lacks the tag, its release never came so far, and the tag is free.
 */
function higherIn(
  line: Line,
  version: string,
  begun: readonly PublishedVersion[],
  registry: RegistryTags,
): string | undefined {
  return publishedIn(line, begun).findLast(
    (one) =>
      compare(one.version, version) > 0 &&
      (!one.withdrawn || [...one.digests.keys()].every((image) => registry.get(image)?.has(line.tag))),
  )?.version;
}

/**
 * The floating tags that stand on a version, on all of its images. One that is missing is the version's where nothing
 * higher could have it: builds that did not change share digests, so that the others prove nothing.
 */
function floatingOn(found: PublishedVersion | undefined, registry: RegistryTags): Line[] {
  if (found === undefined) return [];
  const { version, digests, withdrawn } = found;
  const begun = begunVersions(registry);
  return lines(version).filter((line) => {
    const mayLack = !withdrawn && higherIn(line, version, begun, registry) === undefined;
    return [...digests].every(([image, digest]) => {
      const current = registry.get(image)?.get(line.tag);
      return current === undefined ? mayLack : current === digest;
    });
  });
}

function race(version: string, floating: readonly string[], registry: RegistryTags): Race | undefined {
  if (floating.length === 0) return undefined;
  const published = begunVersions(registry).filter(({ complete }) => complete);
  return { version, published: new Set(published.map((one) => one.version)) };
}

/**
 * Why a run that is about to move floating tags stops: another one has published something higher meanwhile. Undefined:
 * it goes on.
 *
 * @param registry asked again, after the version has its own tags.
 */
export function overtaken(plan: Plan, registry: RegistryTags): string | undefined {
  if (plan.race === undefined) return undefined;
  const { version } = plan.race;
  const higher = stays(
    overtaking(plan, begunVersions(registry)).map(({ line, by }) => [line.tag, by.version]),
  );
  if (higher.length === 0) return undefined;
  return `${version} is published, and was overtaken: ${higher.join(" ")} Run it again to finish the rest.`;
}

/**
 * Floating tags to put right: those that this run has set after another one had published something higher, and those
 * that one of a lower version has taken from it meanwhile.
 *
 * @param registry asked again, after the floating tags are set. What this returns takes another question, until it
 *   returns nothing.
 */
export function corrections(plan: Plan, registry: RegistryTags): Mark[] {
  if (plan.race === undefined) return [];
  const { version } = plan.race;
  const begun = begunVersions(registry);
  const own = begun.find((one) => one.version === version && !one.withdrawn);
  const higher = new Map(overtaking(plan, begun).map(({ line, by }) => [line.tag, by]));
  return floatingLines(plan, version).flatMap((line) => {
    const mine = higherIn(line, version, begun, registry) === undefined ? own : undefined;
    return [...((higher.get(line.tag) ?? mine)?.digests ?? [])]
      .filter(([image, digest]) => registry.get(image)?.get(line.tag) !== digest)
      .map(([image, digest]) => ({ image, tag: line.tag, digest }));
  });
}

/** The lines in which a higher version was published since the plan was made, and the highest such version of each. */
function overtaking(plan: Plan, begun: readonly PublishedVersion[]): { line: Line; by: PublishedVersion }[] {
  if (plan.race === undefined) return [];
  const { version, published } = plan.race;
  return floatingLines(plan, version).flatMap((line) => {
    const by = publishedIn(line, begun).at(-1);
    const isNew = by !== undefined && !by.withdrawn && !published.has(by.version);
    return isNew && compare(by.version, version) > 0 ? [{ line, by }] : [];
  });
}

function floatingLines(plan: Plan, version: string): Line[] {
  const set = new Set([...plan.images.values()].flatMap(({ steps: [, floating] }) => floating));
  return lines(version).filter(({ tag }) => set.has(tag));
}

/**
 * The images of a new version that another run has published under it since the plan was made.
 *
 * @param registry asked again, once every build is pushed.
 * @param builds the digest of each build in hand.
 */
export function movedVersions(
  version: string,
  builds: ReadonlyMap<string, string>,
  registry: RegistryTags,
): Problem[] {
  return [...builds].flatMap(([image, built]) => {
    const published = registry.get(image)?.get(version);
    if (published === undefined || published === built) return [];
    return [
      {
        where: `${image}:${version}`,
        found: `published meanwhile as ${published}; this build is ${built}`,
        allowed: "a version that is not published yet: a published one never moves",
        fix: `npm run release -- ${nextVersion(version)}`,
      },
    ];
  });
}

/**
 * In one line, that the sources in hand are not what a published version was built from; undefined where they are, or
 * where the plan publishes them.
 *
 * @param builds the digest of each build in hand; undefined: not built yet, because its sources changed.
 */
export function differingSources(
  version: string,
  plan: Plan,
  builds: ReadonlyMap<string, string | undefined>,
): string | undefined {
  const differing = [...plan.images].flatMap(([image, { digest }]) =>
    digest !== undefined && builds.get(image) !== digest ? [image] : [],
  );
  if (differing.length === 0) return undefined;
  return `The sources of ${list(differing)} differ from ${version}, which stays as it is. To publish them: npm run release -- ${nextVersion(version)}`;
}

const NO_TAGS: ImagePlan = { digest: undefined, steps: [[], [], []] };

const nothing = { candidate: undefined, marks: [], race: undefined, notes: [], problems: [] };

function refuse(registry: RegistryTags, problem: Problem): Plan {
  return { ...nothing, images: each(registry, () => NO_TAGS), problems: [problem] };
}

function each(
  registry: RegistryTags,
  plan: (image: string, tags: ReadonlyMap<string, string>) => ImagePlan,
): Map<string, ImagePlan> {
  return new Map([...registry].map(([image, tags]) => [image, plan(image, tags)]));
}

function withdrawn(version: string): Problem {
  return {
    where: VERSION,
    found: `${version}, which was withdrawn: its tag was removed, and ${withdrawnTag(version)} is left of it`,
    allowed: "a version that was not withdrawn; nobody who pinned the old one gets another under its name",
    fix: `npm run release -- ${nextVersion(version)}`,
  };
}

function notPublished(version: string): Problem {
  return {
    where: VERSION,
    found: `${version}, which is not published as a whole, so that there is nothing to go back to`,
    allowed: "a version that every image of it has the tag of",
    fix: "npm run report   # which are published; then: npm run release -- VERSION --rollback",
  };
}

function prereleaseRollback(version: string): Problem {
  return {
    where: settingKey("rollback"),
    found: `true, beside the prerelease ${version}`,
    allowed: "true beside a stable version: no floating tag ever stood on a prerelease",
    fix: configRemove("rollback"),
  };
}

function addedLater({ version, digests }: PublishedVersion, registry: RegistryTags): string[] {
  const added = [...registry.keys()].filter((image) => !digests.has(image));
  if (added.length === 0) return [];
  const [were, are] = added.length > 1 ? ["were", "are"] : ["was", "is"];
  return [
    `${list(added)} ${were} added to the catalogue after ${version} and ${are} left out of it; the next version has ${added.length > 1 ? "them" : "it"}.`,
  ];
}

/** A line for each version that floating tags stay on. */
function stays(tags: readonly (readonly [tag: string, on: string | undefined])[]): string[] {
  const holders = new Set(tags.flatMap(([, on]) => on ?? []));
  return [...holders].map((holder) => {
    const held = tags.filter(([, on]) => on === holder).map(([tag]) => tag);
    return `${list(held)} ${held.length > 1 ? "stay" : "stays"}: ${holder} is published and higher.`;
  });
}

function list(items: readonly string[]): string {
  return new Intl.ListFormat("en").format(items).replace(", and", " and");
}

/** The version after one, in its own line. */
export function nextVersion(version: string): string {
  return inc(version, lines(version).length > 0 ? "patch" : "prerelease") ?? "VERSION";
}
