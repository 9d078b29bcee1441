import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "yaml";

type Plain = Record<string, unknown>;

/**
 * Updates the sandbox's copy of a stack file after the tracked file changed. Keys that the sandbox changed keep their value.
 *
 * @param base the tracked file when the copy was last updated.
 * @param mine the copy.
 */
export function mergeSettings(base: string, tracked: string, mine: string): string {
  if (base === tracked) return mine;
  if (base === mine) return tracked;
  const [before, wanted, current] = [read(base), read(tracked), read(mine)];
  const config = merged(plain(before["config"]), plain(wanted["config"]), plain(current["config"]));
  return stringify({ ...merged(before, wanted, current), config }, { lineWidth: 0 });
}

function merged(base: Plain, tracked: Plain, mine: Plain): Plain {
  const isMine = (key: string): boolean => !isDeepStrictEqual(base[key], mine[key]);
  return {
    ...Object.fromEntries(Object.entries(tracked).filter(([key]) => !isMine(key))),
    ...Object.fromEntries(Object.entries(mine).filter(([key]) => isMine(key))),
  };
}

const read = (text: string): Plain => plain(parse(text));

function plain(value: unknown): Plain {
  return typeof value === "object" && value !== null ? (value as Plain) : {};
}
