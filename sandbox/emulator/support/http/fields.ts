type Selection = Map<string, Selection | undefined>;

/** Parses a field selector such as `services/name,nextPageToken` or `a(b,c)`. */
function parse(text: string): Selection {
  const selection: Selection = new Map();
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const char = text[at];
    if (char === "(") depth++;
    if (char === ")") depth--;
    if (at < text.length && (char !== "," || depth > 0)) continue;
    const part = text.slice(start, at).trim();
    start = at + 1;
    const split = /^([^/(]+)(?:\/(.*)|\((.*)\))?$/.exec(part);
    if (split?.[1] === undefined) continue;
    const rest = split[2] ?? split[3];
    selection.set(split[1], rest === undefined ? undefined : parse(rest));
  }
  return selection;
}

function pick(value: unknown, selection: Selection): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, selection));
  if (value === null || typeof value !== "object" || selection.has("*")) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => selection.has(key))
      .map(([key, field]) => {
        const inner = selection.get(key);
        return [key, inner ? pick(field, inner) : field];
      }),
  );
}

/** Applies the `fields` parameter, which every Google API supports. */
export function selectFields(answer: unknown, fields: string): unknown {
  return pick(answer, parse(fields));
}
