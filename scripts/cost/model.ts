import { z } from "zod";
import { prefixedTag } from "../../components/images/tags/names.ts";
import {
  type ChildDeletion,
  cleanupPolicies,
  cleanupPolicy,
  deletedVersions,
  type Expiry,
  type StoredVersion,
} from "../../components/repository/cleanup-rules.ts";

/** What a project does that CI publishes. */
export interface Model {
  images: number;
  /** Platforms that each image is built for. */
  platforms: number;
  /** Base images of all for a platform, in MB (2^20 bytes): they do not change, and are stored once. */
  baseMegabytes: number;
  /** What a changed image adds for a platform: the layers above its base. */
  changedMegabytes: number;
  /** Pushes to main that are built. */
  buildsADay: number;
  /** One image in so many is changed by a build; at first all are new. */
  oneChangedIn: number;
  /** Days from one release to the next. */
  releaseEveryDays: number;
}

/** The project of docs/COST.md. */
export const MODEL: Model = {
  images: 3,
  platforms: 2,
  baseMegabytes: 350,
  changedMegabytes: 50,
  buildsADay: 5,
  oneChangedIn: 3,
  releaseEveryDays: 7,
};

/** A build of main, or a release of its tip. */
export interface Step {
  /** Since the beginning. */
  day: number;
  /** Of every image: the commit or the version. */
  tag: string;
  /** Which images a build changes, counted from 0; of a release undefined. */
  changes: readonly number[] | undefined;
}

/** All that happens in so many days, in order. */
export function steps(days: number, model: Model): Step[] {
  const { images, buildsADay, oneChangedIn, releaseEveryDays } = model;
  const builds = Array.from({ length: Math.ceil(days * buildsADay) }, (_, build) => ({
    day: build / buildsADay,
    tag: build.toString(16).padStart(7, "0"),
    changes: [...Array(images).keys()].filter((image) => build === 0 || (build + image) % oneChangedIn === 0),
  }));
  const releases = Array.from({ length: Math.floor(days / releaseEveryDays) }, (_, release) => ({
    // The evening before the next begins.
    day: (release + 1) * releaseEveryDays - 1 / 1000,
    tag: prefixedTag(`1.${release}.0`),
    changes: undefined,
  }));
  return [...builds, ...releases].sort((a, b) => a.day - b.day);
}

interface Version extends StoredVersion {
  tags: string[];
  megabytes: number;
}

/** A build of an image: what users name, and what an index refers to. */
interface Build {
  named: Version;
  children: Version[];
}

/** Tags of an index or a single image that every build takes from the one before. */
const FLOATING = ["build", "edge"];

function build(image: number, { day, tag }: Step, { platforms, changedMegabytes }: Model): Build {
  const version = (name: string, tags: string[], megabytes: number): Version => ({
    image: `image-${image}`,
    digest: `sha256:${image}-${tag}${name}`,
    tags,
    uploaded: new Date(day * DAY_MS),
    megabytes,
  });
  if (platforms === 1) return { named: version("", [...FLOATING], changedMegabytes), children: [] };
  const children = Array.from({ length: platforms }, (_, platform) =>
    version(`-${platform}`, [`build-${platform}`], changedMegabytes),
  );
  const named = version("", [...FLOATING], 0);
  return { named: { ...named, children: children.map(({ digest }) => digest) }, children };
}

const DAY_MS = 86_400_000;

/**
 * The versions that are stored at the end of every so many days. Cleanup is asked then, and not every day: what it would
 * have deleted before, it deletes now, since what has no tag to keep it gets none later.
 *
 * @param expiry when the repository's policies delete; undefined: they delete nothing.
 * @param childDeletion what Google does.
 */
export function* registries(
  days: number,
  every: number,
  expiry: Expiry | undefined,
  model: Model,
  childDeletion?: ChildDeletion,
): Generator<readonly Version[]> {
  const policies = z.array(cleanupPolicy).parse(expiry === undefined ? [] : cleanupPolicies(expiry));
  const tips: Build[] = [];
  let versions: Version[] = [];
  const take = (step: Step): void => {
    for (const image of step.changes ?? []) {
      const former = tips[image];
      if (former) {
        // These move from build to build; of the others each has its own.
        former.named.tags = former.named.tags.filter((each) => !FLOATING.includes(each));
        for (const child of former.children) child.tags.shift();
      }
      const next = build(image, step, model);
      tips[image] = next;
      versions.push(...next.children, next.named);
    }
    for (const { named, children } of tips) {
      named.tags.push(step.tag);
      // A release keeps the images of its index by tags of their own.
      if (step.changes === undefined)
        for (const [platform, child] of children.entries()) child.tags.push(`build-${platform}-${step.tag}`);
    }
  };
  const ahead = steps(days, model).values();
  let next = ahead.next();
  for (let now = every; now <= days; now += every) {
    for (; !next.done && next.value.day < now; next = ahead.next()) take(next.value);
    if (expiry !== undefined) {
      const deleted = new Set(deletedVersions(versions, policies, new Date(now * DAY_MS), childDeletion));
      versions = versions.filter((version) => !deleted.has(version));
    }
    yield versions;
  }
}

/** The bytes that are stored at the end of every so many days. */
export function stored(
  days: number,
  every: number,
  expiry: Expiry | undefined,
  model: Model = MODEL,
  childDeletion?: ChildDeletion,
): number[] {
  return Array.from(registries(days, every, expiry, model, childDeletion), (versions) => {
    const changed = versions.reduce((sum, { megabytes }) => sum + megabytes, 0);
    return (model.baseMegabytes * model.platforms + changed) * 2 ** 20;
  });
}
