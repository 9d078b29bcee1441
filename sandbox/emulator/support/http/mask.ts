import { invalidArgument } from "./errors.ts";

function camelCase(path: string): string {
  return path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The fields that an update names, top-level and in camel case (a mask `docker_config.immutable_tags`
 * updates `dockerConfig`). Without a mask: the fields that the body has. `*`: all of `known`.
 * Throws 400 INVALID_ARGUMENT for a field that is not among `known`.
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

/** What a body says of these fields, without what is empty: Google does not store that. */
export function given<T extends object, K extends keyof T>(
  body: T,
  fields: readonly K[],
): { [F in K]?: NonNullable<T[F]> } {
  const told = fields.map((field) => [field, body[field]] as const);
  return Object.fromEntries(
    told.filter(([, value]) => value !== undefined && value !== "" && value !== false),
  ) as { [F in K]?: NonNullable<T[F]> };
}

/** Copies the masked fields; one that the body leaves out is cleared. */
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
