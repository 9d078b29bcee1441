import type { Properties, Value } from "./values.ts";

/** A property: used to check inputs, to compute differences, and for the inputs that a refresh records. */
export interface Property {
  /** `map` has strings as values; `block` is a nested record; `blocks` is a set of records. */
  kind: "string" | "boolean" | "integer" | "map" | "strings" | "block" | "blocks";
  required?: true;
  /** A change replaces the resource. */
  replaces?: true;
  /** Google or the provider sets a default: a missing value is no difference. */
  computed?: true;
  /** Recorded in the inputs if the program omits it. */
  default?: Value;
  /** The nested properties of a `block` or of each of `blocks`. */
  items?: Shape;
  /** The property that identifies one of `blocks`. */
  key?: string;
  /** Whether two strings are equivalent. Default: if they are equal. */
  same?: (wanted: string, actual: string) => boolean;
  /** The only supported value. */
  only?: Value;
}

export type Shape = Record<string, Property>;

/** A reason to refuse inputs. */
export interface Failure {
  property: string;
  reason: string;
}

export function unsupported(plugin: string, what: string, supported: Iterable<string>): string {
  const has = [...supported].sort().join(", ") || "none";
  return (
    `the sandbox's fake provider for the ${plugin} plugin does not support the ${what} ` +
    `(supported: ${has}); the real ${plugin} plugin does`
  );
}

/** `hyperion-public` is equivalent to `projects/p/locations/l/repositories/hyperion-public`. */
export function sameLastPart(wanted: string, actual: string): boolean {
  return wanted.split("/").at(-1) === actual.split("/").at(-1);
}

export function sameButCase(wanted: string, actual: string): boolean {
  return wanted.toLowerCase() === actual.toLowerCase();
}

/** Whether a value is undefined, null, "", false, 0 or empty, as answers have it for unset properties. */
export function isZero(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** A copy without empty properties. */
export function compact(value: Value): Value {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== "object" || value === null) return value;
  const result: Properties = {};
  for (const [key, entry] of Object.entries(value)) {
    if (!isZero(entry)) result[key] = compact(entry);
  }
  return result;
}
