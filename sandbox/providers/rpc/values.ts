/** A property value. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

/** Inputs or outputs. */
export type Properties = Record<string, Value>;

/** The engine's mark of an unknown value. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

// From the engine's wire format (sdk/go/common/resource/sig).
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Marks a value as a secret. */
export function secret(value: Value): Value {
  return { [signature]: secretSignature, value };
}

export function isRecord(value: unknown): value is Record<string, Value> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Removes marks of secrets and the real plugins' internal keys (`__meta`, `__defaults`, ...). */
function plain(value: unknown): Value {
  if (Array.isArray(value)) return value.map(plain);
  if (!isRecord(value)) return value as Value;
  if (signature in value) {
    if (value[signature] === secretSignature) return plain(value["value"]);
    throw new Error("the fake provider takes no assets, archives or resource references as property values");
  }
  const result: Properties = {};
  for (const [key, entry] of Object.entries(value)) {
    if (!key.startsWith("__")) result[key] = plain(entry);
  }
  return result;
}

/** The same for a record; undefined is an empty one. */
export function plainProperties(value: unknown): Properties {
  const result = plain(value ?? {});
  return isRecord(result) ? result : {};
}

/** Whether a value contains an unknown one. */
export function hasUnknown(value: Value | undefined): boolean {
  if (value === unknownValue) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isRecord(value) && Object.values(value).some(hasUnknown);
}

/** The string at a key; "" if there is none. */
export function text(properties: Properties | undefined, key: string): string {
  const value = properties?.[key];
  return typeof value === "string" ? value : "";
}

/** The strings at a key; [] if there are none. */
export function texts(properties: Properties | undefined, key: string): string[] {
  const value = properties?.[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The boolean at a key; false if there is none. */
export function flag(properties: Properties | undefined, key: string): boolean {
  return properties?.[key] === true;
}

/** The record at a key; undefined if there is none. */
export function record(properties: Properties | undefined, key: string): Properties | undefined {
  const value = properties?.[key];
  return isRecord(value) ? value : undefined;
}
