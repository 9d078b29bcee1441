import { isSame } from "./diff.ts";
import { compact, isZero, type Shape } from "./shape.ts";
import type { Properties } from "./values.ts";

/**
 * The inputs that describe what was found, for a refresh or an import to record. After a refresh: the
 * properties that the program sets, as written where they still hold. After an import: everything that is set.
 */
export function refreshedInputs(shape: Shape, outputs: Properties, old: Properties | undefined): Properties {
  const inputs: Properties = {};
  for (const [name, property] of Object.entries(shape)) {
    const actual = outputs[name];
    const before = old?.[name];
    if (old !== undefined && before === undefined) continue;
    if (before !== undefined && isSame(property, before, actual)) inputs[name] = before;
    else if (actual !== undefined && (before !== undefined ? actual !== null : !isZero(actual))) {
      inputs[name] = compact(actual);
    }
  }
  return inputs;
}
