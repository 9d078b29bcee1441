import type { Failure, Property, Shape } from "./shape.ts";
import { isRecord, type Properties, unknownValue, type Value } from "./values.ts";

/** Checked inputs as they are recorded, and every reason to refuse them. */
export interface Checked {
  inputs: Properties;
  failures: Failure[];
}

/**
 * Checks inputs against the properties that the fake provider supports, and adds defaults.
 *
 * @param what the resource type, for messages
 * @param plugin the real plugin, which supports the rest
 */
export function checkInputs(shape: Shape, news: Properties, what: string, plugin: string): Checked {
  const failures: Failure[] = [];
  const inputs = checkRecord(shape, news, "", (property, reason) => {
    failures.push({ property, reason });
  });
  return {
    inputs,
    failures: failures.map(({ property, reason }) => ({
      property,
      reason: reason.replaceAll("{what}", what).replaceAll("{plugin}", plugin),
    })),
  };
}

type Refuse = (path: string, reason: string) => void;

function checkRecord(shape: Shape, news: Properties, path: string, refuse: Refuse): Properties {
  const inputs: Properties = {};
  for (const [name, value] of Object.entries(news)) {
    const at = join(path, name);
    const property = shape[name];
    if (property === undefined) {
      refuse(
        at,
        `the sandbox's fake provider for the {plugin} plugin does not support the property "${at}" of {what} ` +
          `(supported: ${Object.keys(shape).sort().join(", ")}); the real {plugin} plugin does`,
      );
      continue;
    }
    if (value === null) continue;
    inputs[name] = checkValue(property, value, at, refuse);
    if (property.only !== undefined && value !== property.only && value !== unknownValue)
      refuse(
        at,
        `the sandbox's fake provider for the {plugin} plugin supports "${at}: ${JSON.stringify(property.only)}" of ` +
          "{what} alone; the real {plugin} plugin takes others",
      );
  }
  for (const [name, property] of Object.entries(shape)) {
    if (inputs[name] !== undefined || (news[name] !== undefined && news[name] !== null)) continue;
    if (property.default !== undefined) inputs[name] = property.default;
    if (property.required) refuse(join(path, name), `Missing required property '${name}'`);
  }
  return inputs;
}

function checkValue(property: Property, value: Value, at: string, refuse: Refuse): Value {
  if (value === unknownValue) return value;
  switch (property.kind) {
    case "string":
      if (typeof value !== "string") refuse(at, `expected a string, found ${describe(value)}`);
      return value;
    case "boolean":
      if (typeof value !== "boolean") refuse(at, `expected a boolean, found ${describe(value)}`);
      return value;
    case "integer":
      if (!Number.isInteger(value)) refuse(at, `expected a whole number, found ${describe(value)}`);
      return value;
    case "strings":
    case "set":
      if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
        refuse(at, `expected a list of strings, found ${describe(value)}`);
      }
      return value;
    case "map":
      if (!isRecord(value) || !Object.values(value).every((item) => typeof item === "string")) {
        refuse(at, `expected a map of strings, found ${describe(value)}`);
      }
      return value;
    case "block":
      if (isRecord(value)) return checkRecord(property.items ?? {}, value, at, refuse);
      refuse(at, `expected an object, found ${describe(value)}`);
      return value;
    case "blocks":
      if (!Array.isArray(value)) {
        refuse(at, `expected a list of objects, found ${describe(value)}`);
        return value;
      }
      return value.map((item, index) => {
        const place = `${at}[${index}]`;
        if (item === unknownValue) return item;
        if (isRecord(item)) return checkRecord(property.items ?? {}, item, place, refuse);
        refuse(place, `expected an object, found ${describe(item)}`);
        return item;
      });
  }
}

function describe(value: Value): string {
  if (Array.isArray(value)) return "a list";
  return value === null ? "nothing" : typeof value;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
