import { z } from "zod";
import { ApiError, detail, invalidArgument } from "./errors.ts";

/** Google treats a null field as absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([key, field]) => [key, withoutNulls(field)]),
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/** Words an issue as Google's JSON parser does. */
function describe(issue: z.core.$ZodIssue, body: unknown): string {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys")
    return issue.keys
      .map(
        (key) =>
          `Invalid JSON payload received. Unknown name "${key}"${path && ` at '${path}'`}: Cannot find field.`,
      )
      .join("\n");
  if (issue.code === "custom") return issue.message;
  if (path === "") return "Invalid JSON payload received. The body must be an object.";
  return `Invalid value at '${path}' (${issue.message}), ${JSON.stringify(valueAt(body, issue.path) ?? "")}`;
}

/**
 * Parses a request's body.
 *
 * @param nulls whether null is an absent field, as at Google, or a value.
 * @throws ApiError 400, also for an unknown field.
 */
export function parseBody<T>(schema: z.ZodType<T>, text: string, nulls: "absent" | "kept" = "absent"): T {
  let json: unknown;
  try {
    json = text.trim() === "" ? {} : (JSON.parse(text) as unknown);
    if (nulls === "absent") json = withoutNulls(json);
  } catch (error) {
    throw invalidArgument(`Invalid JSON payload received. ${String(error)}`);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const fieldViolations = result.error.issues.map((issue) => ({
    field: issue.path.map(String).join("."),
    description: describe(issue, json),
  }));
  const message = fieldViolations.map(({ description }) => description).join("\n");
  throw new ApiError("INVALID_ARGUMENT", message, [detail("BadRequest", { fieldViolations })]);
}

/** A field that is a string, and one that is a boolean. Errors name the types as Google does. */
export const text = z.string("TYPE_STRING");
export const bool = z.boolean("TYPE_BOOL");

/** Optional strings of these names. */
export function optionalTexts<N extends string>(...names: N[]): Record<N, z.ZodOptional<z.ZodString>> {
  const fields = names.map((name) => [name, text.optional()]);
  return Object.fromEntries(fields) as Record<N, z.ZodOptional<z.ZodString>>;
}

export const noFields = z.strictObject({});

/** A whole number, as a number or a string. */
export const wholeNumber = z.union(
  [
    z.int(),
    z
      .string()
      .regex(/^-?\d+$/)
      .transform(Number),
  ],
  "TYPE_INT32",
);

/** A duration such as `1209600s`, truncated to whole seconds. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d{1,9})?s$/, "type.googleapis.com/google.protobuf.Duration")
  .transform((text) => `${Math.trunc(Number.parseFloat(text))}s`);
