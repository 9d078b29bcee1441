import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, parseDocument } from "yaml";

type Plain = Record<string, unknown>;

/**
 * Updates the sandbox's copy of a stack file after the tracked file changed. Keys that the sandbox changed keep their value,
 * and comments of the copy stay.
 *
 * @param base the tracked file when the copy was last updated.
 * @param mine the copy.
 */
export function mergeSettings(base: string, tracked: string, mine: string): string {
  if (base === tracked) return mine;
  if (base === mine) return tracked;
  const document = parseDocument(mine);
  const [before, wanted] = [parse(base), parse(tracked)];
  const current = asPlain(document.toJS());
  mergeKeys(document, [], without(before), without(wanted), without(current));
  mergeKeys(
    document,
    ["config"],
    asPlain(before["config"]),
    asPlain(wanted["config"]),
    asPlain(current["config"]),
  );
  return document.toString({ lineWidth: 0 });
}

function mergeKeys(document: Document, path: string[], base: Plain, tracked: Plain, mine: Plain): void {
  for (const key of new Set([...Object.keys(base), ...Object.keys(tracked)])) {
    const untouched = isDeepStrictEqual(base[key], mine[key]);
    if (!untouched || isDeepStrictEqual(base[key], tracked[key])) continue;
    if (key in tracked) {
      makeMap(document, path);
      document.setIn([...path, key], document.createNode(tracked[key]));
    } else document.deleteIn([...path, key]);
  }
}

/** `setIn` fails below a null or missing value. */
function makeMap(document: Document, path: string[]): void {
  if (!isMap(document.contents)) document.contents = document.createNode({});
  if (path.length > 0 && !isMap(document.getIn(path))) document.setIn(path, document.createNode({}));
}

function without(file: Plain): Plain {
  return Object.fromEntries(Object.entries(file).filter(([key]) => key !== "config"));
}

function parse(text: string): Plain {
  return asPlain(parseDocument(text).toJS());
}

function asPlain(value: unknown): Plain {
  return typeof value === "object" && value !== null ? (value as Plain) : {};
}
