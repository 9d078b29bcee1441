import { type Failure, type Property, type Shape, unsupported } from "./shape.ts";
import { isRecord, type Properties, unknownValue, type Value } from "./values.ts";

/** Checked inputs, and the reasons to refuse them. */
export interface Checked {
  inputs: Properties;
  failures: Failure[];
}

/**
 * Checks inputs and adds defaults.
 *
 * @param what the resource type, for messages.
 * @param plugin the real plugin, for messages.
 */
export function checkInputs(shape: Shape, news: Properties, what: string, plugin: string): Checked {
  const failures: Failure[] = [];
  const refuse = (property: string, reason: string): void => {
    failures.push({ property, reason });
  };
  return { inputs: checkRecord(shape, news, "", { what, plugin, refuse }), failures };
}

interface Checking {
  what: string;
  plugin: string;
  refuse: (path: string, reason: string) => void;
}

function checkRecord(shape: Shape, news: Properties, path: string, checking: Checking): Properties {
  const { what, plugin, refuse } = checking;
  const inputs: Properties = {};
  for (const [name, value] of Object.entries(news)) {
    const at = join(path, name);
    const property = shape[name];
    if (property === undefined) {
      refuse(at, unsupported(plugin, `property "${at}" of ${what}`, Object.keys(shape)));
      continue;
    }
    if (value === null) continue;
    inputs[name] = checkValue(property, value, at, checking);
    if (property.only !== undefined && value !== property.only && value !== unknownValue)
      refuse(
        at,
        `the sandbox's fake provider for the ${plugin} plugin supports only "${at}: ${JSON.stringify(property.only)}" of ` +
          `${what}; the real ${plugin} plugin supports other values`,
      );
  }
  for (const [name, property] of Object.entries(shape)) {
    if (inputs[name] !== undefined || (news[name] !== undefined && news[name] !== null)) continue;
    if (property.default !== undefined) inputs[name] = property.default;
    if (property.required) refuse(join(path, name), `Missing required property '${name}'`);
  }
  return inputs;
}

const isText = (value: unknown): boolean => typeof value === "string";
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

const KINDS: Record<Property["kind"], [expected: string, is: (value: Value) => boolean]> = {
  string: ["a string", isText],
  boolean: ["a boolean", (value) => typeof value === "boolean"],
  integer: ["a whole number", Number.isInteger],
  strings: ["a list of strings", isTexts],
  map: ["a map of strings", (value) => isRecord(value) && Object.values(value).every(isText)],
  block: ["an object", isRecord],
  blocks: ["a list of objects", Array.isArray],
};

function checkValue({ kind, items = {} }: Property, value: Value, at: string, checking: Checking): Value {
  if (value === unknownValue) return value;
  const [expected, is] = KINDS[kind];
  if (!is(value)) checking.refuse(at, `expected ${expected}, found ${describe(value)}`);
  else if (kind === "block" && isRecord(value)) return checkRecord(items, value, at, checking);
  else if (kind === "blocks" && Array.isArray(value))
    return value.map((item, index) =>
      checkValue({ kind: "block", items }, item, `${at}[${index}]`, checking),
    );
  return value;
}

function describe(value: Value): string {
  if (Array.isArray(value)) return "a list";
  return value === null ? "nothing" : typeof value;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
