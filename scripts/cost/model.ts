import { z } from "zod";
import { prefixedTag } from "../../components/images/tags/names.ts";
import {
  cleanupPolicies,
  cleanupPolicy,
  deletedVersions,
  type Expiry,
  type StoredVersion,
} from "../../components/repository/cleanup-rules.ts";

/** What a project does that CI publishes. */
export interface Model {
  images: number;
  /** Base images of all, in MB (2^20 bytes): they do not change, and are stored once. */
  baseMegabytes: number;
  /** What a changed image adds: the layers above its base. */
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
}

/** Tags that every build takes from the one before. */
const FLOATING = ["build", "edge"];

const DAY_MS = 86_400_000;

/**
 * The bytes that are stored at the end of every so many days. Cleanup is asked then, and not every day: what it would
 * have deleted before, it deletes now, since what has no tag to keep it gets none later.
 *
 * @param expiry when the repository's policies delete; undefined: they delete nothing.
 * @param model default: {@link MODEL}.
 */
export function stored(
  days: number,
  every: number,
  expiry: Expiry | undefined,
  model: Model = MODEL,
): number[] {
  const policies = z.array(cleanupPolicy).parse(expiry === undefined ? [] : cleanupPolicies(expiry));
  const tips: Version[] = [];
  let versions: Version[] = [];
  const take = ({ day, tag, changes }: Step): void => {
    for (const image of changes ?? []) {
      const former = tips[image];
      // These move from version to version; of the others each build has its own.
      if (former) former.tags = former.tags.filter((each) => !FLOATING.includes(each));
      const uploaded = new Date(day * DAY_MS);
      tips[image] = {
        image: `image-${image}`,
        digest: `sha256:${image}-${tag}`,
        tags: [...FLOATING],
        uploaded,
      };
      versions.push(tips[image]);
    }
    for (const tip of tips) tip.tags.push(tag);
  };
  const ahead = steps(days, model).values();
  let next = ahead.next();
  return Array.from({ length: days / every }, (_, index) => {
    const now = (index + 1) * every;
    for (; !next.done && next.value.day < now; next = ahead.next()) take(next.value);
    if (expiry !== undefined) {
      const deleted = new Set(deletedVersions(versions, policies, new Date(now * DAY_MS)));
      versions = versions.filter((version) => !deleted.has(version));
    }
    return (model.baseMegabytes + versions.length * model.changedMegabytes) * 2 ** 20;
  });
}
