import type { Difference } from "../rpc/diff.ts";
import { isZero } from "../rpc/shape.ts";
import type { Properties } from "../rpc/values.ts";

/** Those of the properties that hold something, as the body of a create or of a masked update. */
export function bodyOf(wanted: Properties, fields: readonly string[]): Properties {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = wanted[field];
      return value === undefined || isZero(value) ? [] : [[field, value]];
    }),
  );
}

/** Which of the properties differ, in the order given. */
export function maskOf(differences: Difference[], fields: readonly string[]): string[] {
  const changed = new Set(differences.map(({ path }) => path.split(/[.[]/)[0]));
  return fields.filter((field) => changed.has(field));
}
