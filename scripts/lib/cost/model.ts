import { z } from "zod";
import { KEPT_TAG_PREFIXES, prefixedTag } from "../../../components/images/tags.ts";
import {
  cleanupPolicies,
  cleanupPolicy,
  deletedVersions,
  type Expiry,
  type StoredVersion,
} from "../../../components/repository/cleanupRules.ts";

/** A project that CI publishes, as docs/COST.md tells it. */
export const MODEL = {
  images: 3,
  /** Base images of all, in MB (2^20 bytes): they do not change, and are stored once. */
  baseMegabytes: 350,
  /** What a changed image adds: the layers above its base. */
  changedMegabytes: 50,
  /** Pushes to main that are built. */
  buildsADay: 5,
  /** One image in so many is changed by a build. */
  oneChangedIn: 3,
  /** Days from one release to the next. */
  releaseEveryDays: 7,
};

interface Version extends StoredVersion {
  tags: string[];
}

/** Tags that every build takes from the one before. */
const FLOATING = new Set(["build", "edge"]);

const DAY_MS = 86_400_000;

/**
 * The bytes that are stored at the end of each day, under the repository's own policies.
 *
 * @param expiry with the defaults of Pulumi.yaml, but for the age of builds.
 */
export function storedByDay(days: number, expiry: Omit<Expiry, "keptTagPrefixes">): number[] {
  const policies = z
    .array(cleanupPolicy)
    .parse(cleanupPolicies({ ...expiry, keptTagPrefixes: KEPT_TAG_PREFIXES }));
  const versions: Version[] = [];
  const tips: Version[] = [];
  const stored: number[] = [];
  let builds = 0;
  for (let day = 0; day < days; day += 1) {
    for (let build = 0; build < MODEL.buildsADay; build += 1, builds += 1) {
      const commit = builds.toString(16).padStart(7, "0");
      const uploaded = new Date(day * DAY_MS + (build * DAY_MS) / MODEL.buildsADay);
      for (let image = 0; image < MODEL.images; image += 1) {
        const changed = tips[image] === undefined || (builds + image) % MODEL.oneChangedIn === 0;
        const tip = changed
          ? { image: `image-${image}`, digest: `sha256:${image}-${builds}`, tags: [], uploaded }
          : tips[image];
        if (tip === undefined) continue;
        if (changed) versions.push(tip);
        // These move from version to version; of the others each build has its own.
        for (const version of versions)
          if (version.image === tip.image) version.tags = version.tags.filter((tag) => !FLOATING.has(tag));
        tip.tags.push(commit, ...FLOATING);
        tips[image] = tip;
      }
    }
    if (day % MODEL.releaseEveryDays === MODEL.releaseEveryDays - 1)
      for (const tip of tips) tip.tags.push(prefixedTag(`1.${day}.0`));
    const deleted = new Set(deletedVersions(versions, policies, new Date((day + 1) * DAY_MS)));
    versions.splice(0, versions.length, ...versions.filter((version) => !deleted.has(version)));
    stored.push((MODEL.baseMegabytes + versions.length * MODEL.changedMegabytes) * 2 ** 20);
  }
  return stored;
}
