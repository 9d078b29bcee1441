import { expect, test } from "vitest";
import { MODEL, storedByDay } from "./model.ts";
import { BUDGET, costliestMonth, costRows, yearsOfReleases } from "./table.ts";

const DEFAULTS = { untaggedAfterDays: 14, keepCount: 10 };
const BUILDS_AFTER_DAYS = 156;
const MB = 2 ** 20;

test("the default age of builds is the largest that stays under the budget for two years", () => {
  expect(costliestMonth(BUILDS_AFTER_DAYS, DEFAULTS)).toBeLessThan(BUDGET);
  expect(costliestMonth(BUILDS_AFTER_DAYS + 1, DEFAULTS)).toBeGreaterThan(BUDGET);
});

test("a day of builds adds what the images add that it changes; all three are new at first", () => {
  const [first = 0, second = 0] = storedByDay(2, { ...DEFAULTS, buildsAfterDays: 100 });
  const { baseMegabytes, changedMegabytes, buildsADay, images, oneChangedIn } = MODEL;
  const changed = (buildsADay * images) / oneChangedIn;
  expect(first).toBe((baseMegabytes + (changed + images - 1) * changedMegabytes) * MB);
  expect(second - first).toBe(changed * changedMegabytes * MB);
});

test("builds that never expire cost tens of dollars, and releases alone pass the budget after years", () => {
  const [never, default_] = costRows([undefined, BUILDS_AFTER_DAYS], DEFAULTS);
  expect(never?.dollars[1]).toBeGreaterThan(15);
  expect(default_?.dollars[1]).toBeLessThan(BUDGET);
  expect(default_?.dollars[2]).toBeGreaterThan(BUDGET);
  expect(yearsOfReleases()).toBeGreaterThan(6);
}, 60_000);
