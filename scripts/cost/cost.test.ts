import { describe, expect, test } from "vitest";
import { type Expiry, versionsOfBuild } from "../../components/repository/cleanup-rules.ts";
import { declaredSettings } from "../../test/support/default-settings.ts";
import { MODEL, type Model, registries, stored } from "./model.ts";
import { BUDGET, costChart, costs, costRows } from "./table.ts";

const KEPT = { cleanupUntaggedAfterDays: 14, cleanupKeepCount: 10 };
const BUILDS_AFTER_DAYS = 77;
const MB = 2 ** 20;

test("the default age of builds is the largest that stays under the budget for a year", () => {
  expect(declaredSettings).toMatchObject({
    cleanupUntaggedAfterDays: { default: KEPT.cleanupUntaggedAfterDays },
    cleanupKeepCount: { default: KEPT.cleanupKeepCount },
    cleanupBuildsAfterDays: { default: BUILDS_AFTER_DAYS },
  });
  const costliest = (age: number): number => Math.max(...costs(1, KEPT, age));
  expect(costliest(BUILDS_AFTER_DAYS)).toBeLessThan(BUDGET);
  expect(costliest(BUILDS_AFTER_DAYS + 1)).toBeGreaterThan(BUDGET);
});

test("a day of builds stores the layers of the changed images; the first build is all new", () => {
  const [first = 0, second = 0] = stored(2, 1, undefined);
  const { baseMegabytes, changedMegabytes, platforms, buildsADay, images, oneChangedIn } = MODEL;
  const changed = (buildsADay * images) / oneChangedIn;
  expect(first).toBe((baseMegabytes + (changed + images - 1) * changedMegabytes) * platforms * MB);
  expect(second - first).toBe(changed * changedMegabytes * platforms * MB);
});

/** One image, a build a day, a release of the tip every ten days. */
const SMALL: Model = { ...MODEL, images: 1, oneChangedIn: 1, buildsADay: 1, releaseEveryDays: 10 };
const EXPIRY: Expiry = {
  untaggedAfterDays: 1,
  buildsAfterDays: 20,
  keepCount: 3,
  versionsPerBuild: versionsOfBuild(MODEL.platforms),
  keptTagPrefixes: ["v", "edge", "build"],
};

test.each([1, 2])(
  "releases stay, the tip stays, the most recent stay, other builds go: %i platforms",
  (platforms) => {
    const model = { ...SMALL, platforms };
    const expiry = { ...EXPIRY, versionsPerBuild: versionsOfBuild(platforms) };
    const images = (days: number, change: Partial<Expiry> = {}): number =>
      ((stored(days, 1, { ...expiry, ...change }, model).at(-1) ?? 0) / MB / platforms -
        model.baseMegabytes) /
      model.changedMegabytes;
    expect(images(20)).toBe(20);
    // The builds of the last 20 days, and the releases that are older.
    expect(images(100)).toBe(20 + 8);
    expect(images(100, { buildsAfterDays: 1 })).toBe(3 + 9);
    expect(images(100, { buildsAfterDays: 1, keptTagPrefixes: ["none"] })).toBe(3);
  },
);

test("less frequent cleanup leads to the same stored bytes at the end", () => {
  const expiry = { ...EXPIRY, untaggedAfterDays: 14, buildsAfterDays: 30, keepCount: 10 };
  for (const childDeletion of ["refused", "allowed"] as const) {
    const after = (every: number) => stored(120, every, expiry, MODEL, childDeletion);
    const daily = after(1);
    expect(after(5)).toEqual(daily.filter((_, day) => day % 5 === 4));
    expect(after(120)).toEqual(daily.slice(-1));
  }
});

describe.each(["refused", "allowed"] as const)(
  "three years of cleanup, the deletion of an index's images %s",
  (childDeletion) => {
    const years = Array.from(registries(3 * 365, 1, EXPIRY, SMALL, childDeletion), (versions) => {
      const there = new Set(versions.map(({ digest }) => digest));
      return versions
        .filter(({ children }) => children !== undefined)
        .map(({ tags, children = [] }) => ({
          tags,
          complete: children.every((digest) => there.has(digest)),
        }));
    });

    test("leave every release complete", () => {
      for (const [day, indexes] of years.entries()) {
        const releases = indexes.filter(({ tags }) => tags.some((tag) => tag.startsWith("v1.")));
        expect(releases).toHaveLength(Math.floor((day + 1) / SMALL.releaseEveryDays));
        expect(releases.every(({ complete }) => complete)).toBe(true);
      }
    });

    test(`leave ${childDeletion === "refused" ? "every" : "not every"} build of main complete`, () => {
      expect(years.every((indexes) => indexes.every(({ complete }) => complete))).toBe(
        childDeletion === "refused",
      );
    });
  },
);

test("a row of the table has the cost after one, two and five years, and when it exceeds the budget", () => {
  const rising = Array.from({ length: 365 }, (_, look) => (look * 20) / 364);
  expect(
    costRows([
      { builds: "30 days", dollars: rising.map(() => 1) },
      { builds: "for ever", dollars: rising },
    ]),
  ).toEqual([
    ["30 days", "$1.00", "$1.00", "$1.00", "not in 5 years"],
    ["for ever", "$3.96", "$7.97", "$20.00", "after 1.3 years"],
  ]);
});

test("the chart has a line for each row that fits, the costliest first, and the budget", () => {
  const chart = costChart([
    { builds: "cheap", dollars: Array.from({ length: 365 }, () => 1) },
    { builds: "dear", dollars: Array.from({ length: 365 }, (_, look) => (look * 20) / 364) },
    { builds: "too dear", dollars: Array.from({ length: 365 }, () => 26) },
  ]);
  const lines = chart.split("\n").filter((line) => line.startsWith("  line ["));
  const values = lines.map((line) => line.slice("  line [".length, -1).split(", ").map(Number));
  expect(values.map((line) => [line.length, line[0], line[1], line.at(-1)])).toEqual([
    [11, 0, 1.98, 20],
    [11, 0, 1, 1],
    [11, 5, 5, 5],
  ]);
  expect(chart).toContain("from the top: dear; cheap.");
});
