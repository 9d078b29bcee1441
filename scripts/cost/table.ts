import { KEPT_TAG_PREFIXES } from "../../components/images/tags/names.ts";
import { versionsOfBuild } from "../../components/repository/cleanup-rules.ts";
import { monthlyStorageCost } from "../report/cost.ts";
import { MODEL, type Model, stored } from "./model.ts";

/** The budget of the registry, in US dollars a month. */
export const BUDGET = 5;

const YEAR = 365;

/** Simulated years of each row. */
const YEARS = 5;

/** The cleanup settings of the model, except the age of builds. */
export interface Kept {
  cleanupUntaggedAfterDays: number;
  cleanupKeepCount: number;
}

/** Days between two points of the simulation. */
const LOOK_EVERY = 5;

/** The monthly cost, in US dollars, every LOOK_EVERY days. */
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

/** A project that only publishes releases, each of which changes every image. */
const RELEASES_ALONE: Model = { ...MODEL, buildsADay: 1 / MODEL.releaseEveryDays, oneChangedIn: 1 };

/** The monthly cost over time, for one age of builds. */
export interface CostOverTime {
  builds: string;
  /** US dollars, every LOOK_EVERY days. */
  dollars: readonly number[];
}

/** @param byDefault the default of `cleanupBuildsAfterDays`. */
export function costsOverTime(kept: Kept, byDefault: number): CostOverTime[] {
  return [
    ...[30, byDefault, 120, YEAR].map((age) => ({
      builds: `${age} days${age === byDefault ? " (the default)" : ""}`,
      dollars: costs(YEARS, kept, age),
    })),
    { builds: "for ever", dollars: costs(YEARS, kept, undefined) },
    { builds: "none: releases alone", dollars: costs(YEARS, kept, 1, RELEASES_ALONE) },
  ];
}

const atYear = (dollars: readonly number[], years: number): number =>
  dollars[Math.round((years * YEAR) / LOOK_EVERY) - 1] ?? 0;

/**
 * The rows of the table in docs/COST.md: the age of builds; the monthly cost after one, two and five years; when it exceeds the
 * budget.
 */
export function costRows(all: readonly CostOverTime[]): string[][] {
  return all.map(({ builds, dollars }) => {
    const passes = dollars.findIndex((each) => each > BUDGET);
    return [
      builds,
      ...[1, 2, 5].map((years) => `$${atYear(dollars, years).toFixed(2)}`),
      passes < 0 ? `not in ${YEARS} years` : `after ${(((passes + 1) * LOOK_EVERY) / YEAR).toFixed(1)} years`,
    ];
  });
}

/** The highest cost in the chart, in US dollars. Without cleanup, the cost exceeds it within two years. */
const HIGHEST = 25;

/** A Mermaid chart with a line for each row, from the costliest to the cheapest, and one for the budget. */
export function costChart(all: readonly CostOverTime[]): string {
  const shown = all
    .filter(({ dollars }) => atYear(dollars, YEARS) <= HIGHEST)
    .sort((one, other) => atYear(other.dollars, YEARS) - atYear(one.dollars, YEARS));
  const halfYears = Array.from({ length: 2 * YEARS + 1 }, (_, half) => half / 2);
  const line = (value: (years: number) => number): string =>
    `  line [${halfYears.map((years) => value(years).toFixed(2)).join(", ")}]`;
  return [
    "```mermaid",
    "xychart-beta",
    '  title "US dollars a month"',
    `  x-axis "years" [${halfYears.map(String).join(", ")}]`,
    `  y-axis "US dollars" 0 --> ${HIGHEST}`,
    ...shown.map(({ dollars }) => line((years) => atYear(dollars, years))),
    line(() => BUDGET),
    "```",
    "",
    `Lines at the right edge, from the top: ${shown.map(({ builds }) => builds).join("; ")}. The level line is the budget of $${BUDGET}.`,
  ].join("\n");
}
