import { expect, test } from "vitest";
import { pushImage, pushIndex } from "../../sandbox/emulator/testing/registry.ts";
import { versionsOfBuild } from "../../components/repository/cleanup-rules.ts";
import { MODEL, type Model, steps, stored } from "../../scripts/cost/model.ts";
import { makeOld } from "../support/age.ts";
import { google, PACKAGES, REPOSITORY } from "../support/google.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const MB = 2 ** 20;

const sandbox = useSandbox();

async function cleanupPolicies(): Promise<Record<string, object>> {
  const repository = await google(sandbox, "GET", REPOSITORY);
  return (repository as { cleanupPolicies: Record<string, object> }).cleanupPolicies;
}

/** The project of docs/COST.md with one fiftieth of its builds and bytes, but with enough releases. */
const SMALL: Model = {
  ...MODEL,
  baseMegabytes: MODEL.baseMegabytes / 50,
  changedMegabytes: MODEL.changedMegabytes / 50,
  buildsADay: MODEL.buildsADay / 50,
  releaseEveryDays: 50,
};
const PLATFORMS = ["amd64", "arm64"];
const DAYS = 365;
const KEEP_COUNT = 2;

interface Report {
  storedBytes: number;
  monthlyCost: number;
  versions: { image: string; tags: string[] }[];
  cleanup: { deletes: { image: string; digest: string; tags: string[] }[] };
}

async function report(): Promise<Report> {
  const { stdout } = await sandbox.command("npm", [
    "run",
    "--silent",
    "report",
    "--",
    "--stack",
    "sandbox",
    "--json",
  ]);
  return JSON.parse(stdout) as Report;
}

/** Pushes a year of the model's builds, as the stack does. */
async function pushYear(): Promise<void> {
  const registryPort = Number(new URL(`https://${sandbox.registry}`).port);
  const target = { dir: sandbox.root, emulatorUrl: sandbox.emulatorUrl, registryPort };
  const layer = (name: string, megabytes: number): string => name.padEnd(megabytes * MB, "x");
  /** The latest build of each image: the digests of the index and of its images by platform. */
  const tips: { index: string; children: Record<string, string> }[] = [];
  const setTag = async (image: number, tag: string, digest: string): Promise<void> => {
    const name = `${PACKAGES}/image-${image}`;
    const version = `${name.replace(/^v1\//, "")}/versions/${digest}`;
    await google(sandbox, "POST", `${name}/tags?tagId=${tag}`, { version });
  };
  for (const { day, tag, changes } of steps(DAYS, SMALL)) {
    for (const image of changes ?? []) {
      const name = `hyperion-sandbox/hyperion-public/image-${image}`;
      const children: Record<string, string> = {};
      for (const platform of PLATFORMS) {
        const base = layer(`base ${platform}`, SMALL.baseMegabytes);
        const own = layer(`${image} ${tag} ${platform}`, SMALL.changedMegabytes);
        children[platform] = await pushImage(target, name, `build-${platform}`, [base, own]);
      }
      let index = "";
      for (const floating of ["build", "edge"]) index = await pushIndex(target, name, floating, children);
      tips[image] = { index, children };
      for (const digest of [...Object.values(children), index]) await makeOld(sandbox, digest, DAYS - day);
    }
    for (const [image, { index, children }] of tips.entries()) {
      await setTag(image, tag, index);
      if (changes === undefined)
        for (const [platform, digest] of Object.entries(children))
          await setTag(image, `build-${platform}-${tag.slice(1)}`, digest);
    }
  }
}

/** The tagged indexes, and whether all of their images exist. */
async function indexes(): Promise<{ tags: string[]; complete: boolean }[]> {
  const list = await google(sandbox, "GET", `${REPOSITORY}/dockerImages?pageSize=1000`);
  const { dockerImages } = list as {
    dockerImages: { uri: string; tags?: string[]; imageManifests?: { digest: string }[] }[];
  };
  const there = new Set(dockerImages.map(({ uri }) => uri));
  return dockerImages.flatMap(({ uri, tags = [], imageManifests }) =>
    imageManifests === undefined || tags.length === 0
      ? []
      : [
          {
            tags,
            complete: imageManifests.every(({ digest }) => there.has(uri.replace(/@.*/, `@${digest}`))),
          },
        ],
  );
}

test("a scaled year of builds costs what the model computes, before and after cleanup", async () => {
  const keepCount = KEEP_COUNT * versionsOfBuild(SMALL.platforms);
  const { "keep-recent": recent, ...others } = await cleanupPolicies();
  expect(recent).toMatchObject({ action: "KEEP" });
  const policies = { ...others, "keep-recent": { ...recent, mostRecentVersions: { keepCount } } };
  await google(sandbox, "PATCH", `${REPOSITORY}?updateMask=cleanupPolicies`, { cleanupPolicies: policies });
  const before = await report();
  await pushYear();

  const year = await report();
  const all = stored(DAYS, DAYS, undefined, SMALL)[0] ?? 0;
  // Besides layers, there are manifests and configurations of about a kilobyte each.
  expect((year.storedBytes - before.storedBytes) / all).toBeCloseTo(1, 2);
  const planned = year.cleanup.deletes;
  expect(planned.length).toBeGreaterThan(10);
  expect(planned.flatMap(({ tags }) => tags).filter((tag) => /^(v|latest|edge|build)/.test(tag))).toEqual([]);

  const { output } = await sandbox.run("cleanup");
  for (const { image, digest } of planned) expect(output).toContain(`${image}@${digest}`);
  const after = await report();
  expect(after.versions).toHaveLength(year.versions.length - planned.length);
  expect(after.cleanup.deletes).toEqual([]);
  const expiry = {
    untaggedAfterDays: 14,
    buildsAfterDays: 77,
    keepCount: KEEP_COUNT,
    versionsPerBuild: versionsOfBuild(SMALL.platforms),
    keptTagPrefixes: ["v", "latest", "edge", "build"],
  };
  const kept = stored(DAYS, DAYS, expiry, SMALL)[0] ?? 0;
  expect((after.storedBytes - before.storedBytes) / kept).toBeCloseTo(1, 2);
  expect(after.monthlyCost).toBeLessThanOrEqual(year.monthlyCost);
  const releases = after.versions.flatMap(({ image, tags }) =>
    tags.filter((tag) => tag.startsWith("v1.") && image === "image-0"),
  );
  expect(releases).toHaveLength(Math.floor(DAYS / SMALL.releaseEveryDays));
  const whole = await indexes();
  expect(whole.length).toBeGreaterThan(releases.length);
  expect(whole.filter(({ complete }) => !complete)).toEqual([]);
});

test("every version stays complete, even if Google deletes images that an index refers to", async () => {
  await google(sandbox, "PUT", "sandbox/child-deletion", { childDeletion: "allowed" });
  const { output } = await sandbox.run("cleanup");
  await google(sandbox, "PUT", "sandbox/child-deletion", { childDeletion: "refused" });
  expect(output).toContain("@sha256:");
  const left = await indexes();
  const isVersion = ({ tags }: { tags: string[] }) => tags.some((tag) => tag.startsWith("v1."));
  expect(left.filter((each) => !each.complete && isVersion(each))).toEqual([]);
  expect(left.some((each) => !each.complete && !isVersion(each))).toBe(true);
});
