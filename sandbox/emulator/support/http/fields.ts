/** Applies the `fields` parameter, such as `services/name,nextPageToken`, which every Google API supports. */
export function selectFields(answer: unknown, fields: string): unknown {
  return pick(
    answer,
    fields.split(",").map((path) => path.split("/")),
  );
}

function pick(value: unknown, paths: string[][]): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, paths));
  if (typeof value !== "object" || value === null || paths.some((path) => path.length === 0)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => {
      const below = paths.filter(([first]) => first === key).map((path) => path.slice(1));
      return below.length === 0 ? [] : [[key, pick(field, below)]];
    }),
  );
}
