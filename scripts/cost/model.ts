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

/** The publishing habits of a project. */
export interface Model {
  images: number;
  /** Platforms of each image. */
  platforms: number;
  /** All base images for a platform, in MB (2^20 bytes). They do not change and are stored once. */
  baseMegabytes: number;
  /** The new layers of a changed image for a platform. */
  changedMegabytes: number;
  /** Builds of main. */
  buildsADay: number;
  /** A build changes one image in this many; the first build is all new. */
  oneChangedIn: number;
  /** Days between releases. */
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
  /** Days since the start. */
  day: number;
  /** The commit or the version. */
  tag: string;
  /** The images that a build changes, counted from 0; undefined for a release. */
  changes: readonly number[] | undefined;
}

/** The builds and releases of a number of days, in order. */
export function steps(days: number, model: Model): Step[] {
  const { images, buildsADay, oneChangedIn, releaseEveryDays } = model;
  const builds = Array.from({ length: Math.ceil(days * buildsADay) }, (_, build) => ({
    day: build / buildsADay,
    tag: build.toString(16).padStart(7, "0"),
    changes: [...Array(images).keys()].filter((image) => build === 0 || (build + image) % oneChangedIn === 0),
  }));
  const releases = Array.from({ length: Math.floor(days / releaseEveryDays) }, (_, release) => ({
    // Just before the next build.
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

/** A build of an image: the version that users name, and the children of the index. */
interface Build {
  named: Version;
  children: Version[];
}

/** Tags that move to every new build. */
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
 * The stored versions at the end of each period. Cleanup runs once a period instead of once a day, with the same result: a
 * version that cleanup can delete never becomes protected later.
 *
 * @param every the length of a period, in days.
 * @param expiry undefined: no cleanup.
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
        // The other tags of a build stay on it.
        former.named.tags = former.named.tags.filter((each) => !FLOATING.includes(each));
        for (const child of former.children) child.tags.shift();
      }
      const next = build(image, step, model);
      tips[image] = next;
      versions.push(...next.children, next.named);
    }
    for (const { named, children } of tips) {
      named.tags.push(step.tag);
      // A release tags the children of its index, so that cleanup keeps them.
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

/** The stored bytes at the end of each period. */
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
