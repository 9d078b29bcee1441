import { DOLLARS_PER_GB_MONTH, FREE_GB, GB, monthlyStorageCost } from "../report/cost.ts";
import { MODEL, storedByDay } from "./model.ts";

/** What the registry may cost a month, in US dollars. */
export const BUDGET = 5;

const YEAR = 365;

/** The settings of expiry that the model is run with: the defaults of Pulumi.yaml. */
export interface Defaults {
  untaggedAfterDays: number;
  keepCount: number;
}

/** The most that a month costs in the first two years, in US dollars, where builds expire after so many days. */
export function costliestMonth(buildsAfterDays: number, defaults: Defaults): number {
  return monthlyStorageCost(Math.max(...storedByDay(2 * YEAR, { ...defaults, buildsAfterDays })));
}

/** A row of the table in docs/COST.md: dollars a month at the end of the first, second and fifth year. */
export interface CostRow {
  /** Undefined: never. */
  buildsAfterDays: number | undefined;
  dollars: [number, number, number];
}

/** What the model costs by the age at which builds expire. */
export function costRows(ages: readonly (number | undefined)[], defaults: Defaults): CostRow[] {
  return ages.map((buildsAfterDays) => {
    const stored = storedByDay(5 * YEAR, { ...defaults, buildsAfterDays: buildsAfterDays ?? 100 * YEAR });
    const dollars = (years: number): number => monthlyStorageCost(stored[years * YEAR - 1] ?? 0);
    return { buildsAfterDays, dollars: [dollars(1), dollars(2), dollars(5)] };
  });
}

/** After how many years releases alone, which never expire, cost more than the budget. */
export function yearsOfReleases(): number {
  const bytes = (BUDGET / DOLLARS_PER_GB_MONTH + FREE_GB) * GB - MODEL.baseMegabytes * 2 ** 20;
  const releases = bytes / (MODEL.images * MODEL.changedMegabytes * 2 ** 20);
  return (releases * MODEL.releaseEveryDays) / YEAR;
}
