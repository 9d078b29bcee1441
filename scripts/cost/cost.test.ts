import { expect, test } from "vitest";
import { declaredSettings } from "../../test/support/default-settings.ts";
import { MODEL, type Model, stored } from "./model.ts";
import { BUDGET, costs, costRows } from "./table.ts";

const KEPT = { cleanupUntaggedAfterDays: 14, cleanupKeepCount: 10 };
const BUILDS_AFTER_DAYS = 156;
const MB = 2 ** 20;

test("the default age of builds is the largest that stays under the budget for two years", () => {
  expect(declaredSettings).toMatchObject({
    cleanupUntaggedAfterDays: { default: KEPT.cleanupUntaggedAfterDays },
    cleanupKeepCount: { default: KEPT.cleanupKeepCount },
    cleanupBuildsAfterDays: { default: BUILDS_AFTER_DAYS },
  });
  const costliest = (age: number): number => Math.max(...costs(2, KEPT, age));
  expect(costliest(BUILDS_AFTER_DAYS)).toBeLessThan(BUDGET);
  expect(costliest(BUILDS_AFTER_DAYS + 1)).toBeGreaterThan(BUDGET);
});

test("a day of builds adds what the images add that it changes; all are new at first", () => {
  const [first = 0, second = 0] = stored(2, 1, undefined);
  const { baseMegabytes, changedMegabytes, buildsADay, images, oneChangedIn } = MODEL;
  const changed = (buildsADay * images) / oneChangedIn;
  expect(first).toBe((baseMegabytes + (changed + images - 1) * changedMegabytes) * MB);
  expect(second - first).toBe(changed * changedMegabytes * MB);
});

test("releases stay, the tip stays, the most recent stay, other builds go", () => {
  // One image, a build a day, a release of the tip every ten days.
  const model: Model = { ...MODEL, images: 1, oneChangedIn: 1, buildsADay: 1, releaseEveryDays: 10 };
  const expiry = { untaggedAfterDays: 1, buildsAfterDays: 20, keepCount: 3, keptTagPrefixes: ["v", "edge"] };
  const images = (days: number, change: Partial<typeof expiry> = {}): number =>
    ((stored(days, 1, { ...expiry, ...change }, model).at(-1) ?? 0) / MB - model.baseMegabytes) /
    model.changedMegabytes;
  expect(images(20)).toBe(20);
  // The builds of the last 20 days, and the releases that are older.
  expect(images(100)).toBe(20 + 8);
  expect(images(100, { buildsAfterDays: 1 })).toBe(3 + 9);
  expect(images(100, { buildsAfterDays: 1, keptTagPrefixes: ["none"] })).toBe(3);
});

test("what cleanup is asked less often is stored all the same at the end", () => {
  const expiry = {
    untaggedAfterDays: 14,
    buildsAfterDays: 30,
    keepCount: 10,
    keptTagPrefixes: ["v", "edge"],
  };
  const daily = stored(120, 1, expiry);
  expect(stored(120, 5, expiry)).toEqual(daily.filter((_, day) => day % 5 === 4));
  expect(stored(120, 120, expiry)).toEqual(daily.slice(-1));
});

test("the table", () => {
  const rows = costRows(KEPT, BUILDS_AFTER_DAYS);
  expect(rows.map(([what, ...cells]) => [what, cells.length])).toEqual([
    ["30 days", 4],
    ["90 days", 4],
    ["156 days (the default)", 4],
    ["365 days", 4],
    ["for ever", 4],
    ["none: releases alone", 4],
  ]);
  expect(rows[2]?.slice(1)).toEqual(["$4.22", "$4.99", "$7.28", "after 2.0 years"]);
  expect(rows[5]?.at(-1)).toBe("after 6.6 years");
});
