import { problemsError } from "../../../problems/problem.ts";
import type { TagStore } from "./store.ts";
import { lineNotes, otherBuild, versionNotes } from "./messages.ts";
import { TagRun, type TagResult } from "./run.ts";
import {
  BUILD_TAG,
  commitTag,
  EDGE_TAG,
  LATEST,
  lines,
  ownTags,
  platformTag,
  type Release,
  versionBuildTag,
} from "./names.ts";
import {
  isStarted,
  isWithdrawn,
  type RegistryTags,
  startedVersions,
  type TagTarget,
  versionDigests,
} from "./versions.ts";

/** A build of an image. */
export interface Build {
  /** Digest of the index, or of the image of the only platform. */
  digest: string;
  /** Digest for each platform of the index; empty without an index. */
  platforms: ReadonlyMap<string, string>;
}

export interface TagWork {
  /** The last list of tags, which can be outdated. */
  registry: RegistryTags;
  release: Release;
  /** A build for each image, in the order of the catalogue. */
  builds: ReadonlyMap<string, Build>;
  /** Move a published version to these builds. Default: no. */
  overwrite?: boolean;
}

/**
 * Sets the tags of a release. Finishes a run that was killed. Sends no request if nothing changes.
 *
 * @throws one error if an unfinished run has other builds of the version, and the version has no own tag yet.
 */
export async function setTags(store: TagStore, work: TagWork): Promise<TagResult> {
  const { registry, release, builds, overwrite = false } = work;
  const run = new TagRun(store, registry);
  const { version } = release;
  const isUnnamed = version === undefined && release.revision === undefined && !hasStableVersion(run.tags);
  await run.setAll(plainTags(release, builds, isUnnamed));
  // A version that was published meanwhile gets `latest` back.
  if (isUnnamed) await run.settle([LATEST]);
  if (version === undefined) return run.result();
  if (isWithdrawn(run.tags, version)) {
    run.notes.push(`${version} is withdrawn. Its tags stay as they are.`);
    return run.result();
  }
  await startVersion(run, version, builds, overwrite);
  await finishVersion(run, version, builds, overwrite);
  await run.settle(lines(version));
  run.notes.push(...versionNotes(run.tags, version, builds), ...lineNotes(run.tags, lines(version)));
  return run.result();
}

function hasStableVersion(tags: RegistryTags): boolean {
  return startedVersions(tags).some(({ version }) => LATEST.holds(version));
}

/** Tags that are always set. */
function plainTags(
  { revision, releaseDate }: Release,
  builds: ReadonlyMap<string, Build>,
  isUnnamed: boolean,
): TagTarget[] {
  const names = [
    BUILD_TAG,
    ...(revision === undefined ? [] : [commitTag(revision)]),
    ...(releaseDate === undefined ? [] : [releaseDate, EDGE_TAG]),
    ...(isUnnamed ? [LATEST.tag] : []),
  ];
  return [...builds].flatMap(([image, { digest }]) => names.map((tag) => ({ image, tag, digest })));
}

/**
 * Records the builds of the version, one image at a time. `build-1.4.2` is created, never moved. If two runs have
 * different builds, one stops at the first image.
 */
async function startVersion(
  run: TagRun,
  version: string,
  builds: ReadonlyMap<string, Build>,
  overwrite: boolean,
): Promise<void> {
  const tag = versionBuildTag(version);
  const targets = [...builds].map(([image, { digest }]) => ({ image, tag, digest }));
  if (overwrite) return run.setAll(targets);
  if (isStarted(run.tags, version)) {
    // Own tags are created after all build tags, so a list without a build tag is outdated.
    if (targets.some(({ image }) => run.tags.get(image)?.has(tag) !== true)) await run.read();
    return;
  }
  for (const target of targets) {
    if (await run.create(target)) continue;
    const found = run.tags.get(target.image)?.get(tag);
    if (found === target.digest) continue;
    if (isStarted(run.tags, version)) return;
    throw problemsError([otherBuild(run.tags, version, target, found)], "no tag of the version was set");
  }
}

/** Tags the version's image of each platform, so that cleanup keeps it. Then sets the own tags. */
async function finishVersion(
  run: TagRun,
  version: string,
  builds: ReadonlyMap<string, Build>,
  overwrite: boolean,
): Promise<void> {
  const targets = [...versionDigests(run.tags, version)].flatMap(([image, digest]) =>
    ownTags(version).map((tag) => ({ image, tag, digest })),
  );
  const missing = targets.filter(({ image, tag, digest }) => {
    const found = run.tags.get(image)?.get(tag);
    return overwrite ? found !== digest : found === undefined;
  });
  const images = new Map(missing.map(({ image, digest }) => [image, digest]));
  const children = await Promise.all(
    [...images].map(async ([image, digest]) => {
      const build = builds.get(image);
      const platforms = build?.digest === digest ? build.platforms : await run.store.platforms(image, digest);
      return [...platforms].map(([platform, child]) => ({
        image,
        tag: platformTag(platform, { version }),
        digest: child,
      }));
    }),
  );
  await run.setAll(children.flat());
  await (overwrite ? run.setAll(missing) : run.createAll(missing));
}
