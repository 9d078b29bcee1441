import { compact, isZero, type Property, type Shape } from "./shape.ts";
import { hasUnknown, isRecord, type Properties, unknownValue, type Value } from "./values.ts";

export interface Difference {
  /** `labels.app`, `cleanupPolicies[0].action`. */
  path: string;
  kind: "add" | "delete" | "update";
  /** The resource must be replaced. */
  replaces: boolean;
}

/** Compares the wanted state with the recorded outputs, so that changes by others are detected after a refresh. */
export function difference(shape: Shape, wanted: Properties, actual: Properties): Difference[] {
  return Object.entries(shape).flatMap(([name, property]) => {
    const found = compare(property, wanted[name], actual[name], name);
    return found.map((one) => ({ ...one, replaces: property.replaces === true }));
  });
}

/**
 * The inputs that a refresh or an import records. Refresh: the properties that the program sets, unchanged if they still
 * apply. Import: all set properties.
 */
export function refreshedInputs(shape: Shape, outputs: Properties, old: Properties | undefined): Properties {
  const inputs: Properties = {};
  for (const [name, property] of Object.entries(shape)) {
    const actual = outputs[name];
    const before = old?.[name];
    if (old !== undefined && before === undefined) continue;
    if (before !== undefined && compare(property, before, actual, "").length === 0) inputs[name] = before;
    else if (actual !== undefined && (before !== undefined ? actual !== null : !isZero(actual))) {
      inputs[name] = compact(actual);
    }
  }
  return inputs;
}

type Found = Omit<Difference, "replaces">;

function compare(
  property: Property,
  wanted: Value | undefined,
  actual: Value | undefined,
  path: string,
): Found[] {
  if (wanted === unknownValue) return [{ path, kind: "update" }];
  const absent = wanted === undefined || wanted === null;
  if (absent && property.computed) return [];
  switch (property.kind) {
    case "string":
    case "boolean":
    case "integer":
      return compareScalar(property, absent ? undefined : wanted, actual, path);
    case "strings":
      return compareLists(list(wanted), list(actual), path);
    case "map":
      return compareMaps(isRecord(wanted) ? wanted : {}, isRecord(actual) ? actual : {}, path);
    case "block":
      return compareBlock(property.items ?? {}, absent ? undefined : wanted, actual ?? undefined, path);
    case "blocks":
      return compareBlocks(property, list(wanted), list(actual), path);
  }
}

function compareScalar(
  property: Property,
  wanted: Value | undefined,
  actual: Value | undefined,
  path: string,
): Found[] {
  if (isZero(wanted) && isZero(actual)) return [];
  if (wanted === actual) return [];
  if (typeof wanted === "string" && typeof actual === "string" && property.same?.(wanted, actual)) return [];
  return [{ path, kind: isZero(actual) ? "add" : wanted === undefined ? "delete" : "update" }];
}

function compareLists(wanted: Value[], actual: Value[], path: string): Found[] {
  if (
    wanted.length === actual.length &&
    wanted.every((item, index) => item !== unknownValue && item === actual[index])
  ) {
    return [];
  }
  return [{ path, kind: actual.length === 0 ? "add" : wanted.length === 0 ? "delete" : "update" }];
}

function compareMaps(wanted: Properties, actual: Properties, path: string): Found[] {
  const found: Found[] = [];
  for (const key of new Set([...Object.keys(wanted), ...Object.keys(actual)])) {
    if (wanted[key] === actual[key] && wanted[key] !== unknownValue) continue;
    const kind = actual[key] === undefined ? "add" : wanted[key] === undefined ? "delete" : "update";
    found.push({
      path: /^[A-Za-z_]\w*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`,
      kind,
    });
  }
  return found;
}

function compareBlock(
  items: Shape,
  wanted: Value | undefined,
  actual: Value | undefined,
  path: string,
): Found[] {
  if (wanted === undefined && actual === undefined) return [];
  // As in the real plugin, an empty object that is not stored is always a difference.
  if (!isRecord(actual)) return [{ path, kind: "add" }];
  if (!isRecord(wanted)) return [{ path, kind: "delete" }];
  return Object.entries(items).flatMap(([name, item]) =>
    compare(item, wanted[name], actual[name], `${path}.${name}`),
  );
}

function compareBlocks(property: Property, wanted: Value[], actual: Value[], path: string): Found[] {
  const items = property.items ?? {};
  const key = property.key;
  const rest = [...actual];
  const found: Found[] = [];
  wanted.forEach((item, index) => {
    const at = rest.findIndex((other) =>
      key !== undefined && isRecord(item) && isRecord(other)
        ? item[key] === other[key]
        : !hasUnknown(item) && compareBlock(items, item, other, "").length === 0,
    );
    const place = `${path}[${index}]`;
    const [other] = at < 0 ? [] : rest.splice(at, 1);
    found.push(
      ...(other === undefined
        ? [{ path: place, kind: "add" as const }]
        : compareBlock(items, item, other, place)),
    );
  });
  found.push(
    ...rest.map((_, index) => ({ path: `${path}[${wanted.length + index}]`, kind: "delete" as const })),
  );
  return found;
}

function list(value: Value | undefined): Value[] {
  return Array.isArray(value) ? value : [];
}
