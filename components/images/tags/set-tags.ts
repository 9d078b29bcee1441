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

/** What was built of an image. */
export interface Build {
  /** The digest of the index, or of the only platform's image. */
  digest: string;
  /** The digest of each platform's image in the index; empty without an index. */
  platforms: ReadonlyMap<string, string>;
}

/** What is to be tagged, and what the registry holds. */
export interface TagWork {
  /** The tags as they were read last; they may be old. */
  registry: RegistryTags;
  release: Release;
  /** Of the images of the catalogue, in its order. */
  builds: ReadonlyMap<string, Build>;
  /** Move a version that is published already to these builds. Default: no. */
  overwrite?: boolean;
}

/**
 * Puts the tags of a release on its builds. A run that was killed is finished by the next one, and a run that changes
 * nothing sends no request.
 *
 * @throws one error if the version consists of other builds and nothing of it is published yet.
 */
export async function setTags(store: TagStore, work: TagWork): Promise<TagResult> {
  const { registry, release, builds, overwrite = false } = work;
  const run = new TagRun(store, registry);
  const { version } = release;
  const isUnnamed = version === undefined && release.revision === undefined && !hasStableVersion(run.tags);
  await run.setAll(plainTags(release, builds, isUnnamed));
  // A version that was published meanwhile takes `latest` back.
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

/** Tags that are set without a condition. */
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
 * Records the builds that the version consists of, one image at a time. `build-1.4.2` is created, never moved: of two
 * runs with different builds, one stops at the first image.
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
    // The run that creates own tags has created every build tag before, but this list may be older.
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

/** Tags the platform images of the version, so that cleanup keeps them, and then sets its own tags. */
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
