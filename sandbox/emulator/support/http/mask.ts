import { invalidArgument } from "./errors.ts";

function camelCase(path: string): string {
  return path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The top-level fields that an update changes, in camel case: the mask `docker_config.immutable_tags` updates
 * `dockerConfig`. Without a mask: the fields of the body. `*`: all of `known`.
 *
 * @throws ApiError 400 for a field that is not in `known`.
 */
export function maskedFields<K extends string>(
  mask: string | null | undefined,
  body: object,
  known: readonly K[],
): K[] {
  const isKnown = (field: string): field is K => (known as readonly string[]).includes(field);
  if (mask === null || mask === undefined || mask === "") return Object.keys(body).filter(isKnown);
  if (mask === "*") return [...known];
  const fields = mask.split(",").map((path) => {
    const field = camelCase(path.trim()).split(".")[0] ?? "";
    if (!isKnown(field))
      throw invalidArgument(
        `Invalid update_mask: "${path}" is not a field that can be updated.`,
        "update_mask",
      );
    return field;
  });
  return [...new Set(fields)];
}

/** These fields of a body. Omits empty values, which Google does not store. */
export function given<T extends object, K extends keyof T>(
  body: T,
  fields: readonly K[],
): { [F in K]?: NonNullable<T[F]> } {
  const entries = fields.map((field) => [field, body[field]] as const);
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined && value !== "" && value !== false),
  ) as { [F in K]?: NonNullable<T[F]> };
}

/** Copies the masked fields; clears those that the source omits. */
export function applyMask<T extends object>(
  target: T,
  source: Partial<T>,
  fields: readonly (keyof T)[],
): void {
  for (const field of fields) {
    const value = source[field];
    if (value === undefined) Reflect.deleteProperty(target, field);
    else target[field] = value;
  }
}
