import type { Properties, Value } from "./values.ts";

/**
 * What a fake provider knows of one property. One table serves the check of the inputs, the difference
 * and the inputs that a refresh records, so that they cannot disagree.
 */
export interface Property {
  /** `map` holds strings; `set` is a list without order; `block` a nested record; `blocks` a set of them. */
  kind: "string" | "boolean" | "integer" | "map" | "strings" | "set" | "block" | "blocks";
  /** Refused when missing. */
  required?: true;
  /** A change cannot be made in place. */
  replaces?: true;
  /** Google or the provider fills it in: leaving it out asks for no change. */
  computed?: true;
  /** Recorded in the inputs when the program leaves it out. */
  default?: Value;
  /** The nested properties of a `block` or of each of `blocks`. */
  items?: Shape;
  /** What tells one of `blocks` from the other. */
  key?: string;
  /** Two strings that mean the same: no difference. Default: equal strings. */
  same?: (wanted: string, actual: string) => boolean;
  /** The one value that the fake provider knows what to do with. */
  only?: Value;
}

export type Shape = Record<string, Property>;

/** One reason why inputs are refused. */
export interface Failure {
  property: string;
  reason: string;
}

/** Why a fake provider refuses what it lacks. */
export function unsupported(plugin: string, what: string, supported: Iterable<string>): string {
  const has = [...supported].sort().join(", ") || "none";
  return (
    `the sandbox's fake provider for the ${plugin} plugin does not support the ${what} ` +
    `(supported: ${has}); the real ${plugin} plugin does`
  );
}

/** Names of the last part of a path are enough: `hyperion-public` is `projects/p/locations/l/repositories/hyperion-public`. */
export function sameLastPart(wanted: string, actual: string): boolean {
  return wanted.split("/").at(-1) === actual.split("/").at(-1);
}

export function sameButCase(wanted: string, actual: string): boolean {
  return wanted.toLowerCase() === actual.toLowerCase();
}

/** Null, "", false, 0 and empty lists and records: what an answer holds for a property that was never set. */
export function isZero(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** A copy without the properties that hold nothing, as a program would have written it. */
export function compact(value: Value): Value {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== "object" || value === null) return value;
  const result: Properties = {};
  for (const [key, entry] of Object.entries(value)) {
    if (!isZero(entry)) result[key] = compact(entry);
  }
  return result;
}
