import { KEPT_TAG_PREFIXES } from "../../components/images/tags/names.ts";
import { versionsOfBuild } from "../../components/repository/cleanup-rules.ts";
import { monthlyStorageCost } from "../report/cost.ts";
import { MODEL, type Model, stored } from "./model.ts";

/** What the registry may cost a month, in US dollars. */
export const BUDGET = 5;

const YEAR = 365;

/** How long a row is simulated. */
const YEARS = 5;

/** What of the settings the cost depends on, beside the age of builds. */
export interface Kept {
  cleanupUntaggedAfterDays: number;
  cleanupKeepCount: number;
}

/** Days from one look at a simulated registry to the next. */
const LOOK_EVERY = 5;

/** What a month costs, in US dollars, every five days of so many years. */
export function costs(
  years: number,
  kept: Kept,
  buildsAfterDays: number | undefined,
  model: Model = MODEL,
): number[] {
  const expiry =
    buildsAfterDays === undefined
      ? undefined
      : {
          untaggedAfterDays: kept.cleanupUntaggedAfterDays,
          buildsAfterDays,
          keepCount: kept.cleanupKeepCount,
          versionsPerBuild: versionsOfBuild(model.platforms),
          keptTagPrefixes: KEPT_TAG_PREFIXES,
        };
  return stored(years * YEAR, LOOK_EVERY, expiry, model).map(monthlyStorageCost);
}

/** A project that publishes releases and no build of main; each changes every image. */
const RELEASES_ALONE: Model = { ...MODEL, buildsADay: 1 / MODEL.releaseEveryDays, oneChangedIn: 1 };

/**
 * The rows of the table in docs/COST.md: builds kept how long; what a month costs at the end of the first, second and
 * fifth year; when it passes the budget.
 *
 * @param byDefault the default of `cleanupBuildsAfterDays`.
 */
export function costRows(kept: Kept, byDefault: number): string[][] {
  const row = (what: string, dollars: readonly number[]): string[] => {
    const passes = dollars.findIndex((each) => each > BUDGET);
    return [
      what,
      ...[1, 2, 5].map((years) => `$${(dollars[(years * YEAR) / LOOK_EVERY - 1] ?? 0).toFixed(2)}`),
      passes < 0 ? `not in ${YEARS} years` : `after ${(((passes + 1) * LOOK_EVERY) / YEAR).toFixed(1)} years`,
    ];
  };
  return [
    ...[30, byDefault, 120, YEAR].map((age) =>
      row(`${age} days${age === byDefault ? " (the default)" : ""}`, costs(YEARS, kept, age)),
    ),
    row("for ever", costs(YEARS, kept, undefined)),
    row("none: releases alone", costs(YEARS, kept, 1, RELEASES_ALONE)),
  ];
}
