import { closest, distance } from "fastest-levenshtein";
import type { z } from "zod";
import type { Problem } from "../problems/problem.ts";
import { NAMESPACE, PULUMI } from "../problems/setting-commands.ts";
import { canBeTyped, shellQuoted, shellWord, shown, shownName } from "../problems/wording.ts";

/** So many slips of typing still show what was meant. */
const SLIPS = 3;

/** What messages say of a setting. */
export interface Wording {
  /** What the setting may be. */
  allowed: string;
  /** A value that would do, as a word of a shell; of a list or a map, that of an element. */
  example: string;
  /** A list or a map, which one word cannot set. */
  composite: boolean;
}

/** Keys that no setting has, with the setting that was probably meant. */
export function unknownKeys(config: Readonly<Record<string, string>>, names: readonly string[]): Problem[] {
  return Object.keys(config).flatMap((key) => {
    const namespace = key.slice(0, key.indexOf(":"));
    const name = key.slice(namespace.length + 1);
    if (namespace === NAMESPACE && names.includes(name)) return [];
    // Settings of plugins have namespaces of their own, which are theirs to judge.
    if (namespace !== NAMESPACE && slips(namespace, NAMESPACE) > SLIPS) return [];
    const nearest = nearestOf(name, names);
    const meant = slips(name, nearest) <= SLIPS ? `${NAMESPACE}:${nearest}` : undefined;
    return [
      {
        where: shownName(key),
        found: "a setting that does not exist",
        allowed: meant ?? names.join(", "),
        // Renaming keeps the value, which a command would have to show.
        fix:
          meant === undefined ? removal(key) : `rename it to ${meant} in the stack's file, Pulumi.STACK.yaml`,
      },
    ];
  });
}

function nearestOf(name: string, names: readonly string[]): string {
  const lowered = names.map((one) => one.toLowerCase());
  return names[lowered.indexOf(closest(name.toLowerCase(), lowered))] ?? "";
}

function slips(one: string, other: string): number {
  return distance(one.toLowerCase(), other.toLowerCase());
}

/** A secret: none is taken, since each setting ends in plain resources. */
export function secretProblem(key: string, { allowed, example, composite }: Wording): Problem {
  return {
    where: key,
    found: "a secret",
    allowed: `plain text: ${allowed}`,
    fix: composite ? removal(key) : `${PULUMI} config set ${key} ${example}`,
  };
}

/** The problems of one setting; a list or a map is told element by element. */
export function explain(
  key: string,
  value: string | undefined,
  error: z.ZodError,
  { allowed, example, composite }: Wording,
): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.map(step).join("");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((name) => badName(key, path + step(name), name, allowed));
    }
    if (issue.code === "invalid_key") return [badName(key, path, String(issue.path.at(-1)), allowed)];
    const params = issue.code === "custom" ? issue.params : undefined;
    const told = issue.code === "custom" && issue.message !== "" && issue.message !== "Invalid input";
    const instead: unknown = params?.["instead"];
    const suggestion = typeof instead === "string" ? shellWord(instead) : example;
    const remove = params?.["remove"] === true || (path === "" && composite);
    return [
      {
        where: shownName(key + path),
        found: value === undefined ? "nothing" : shown(elementAt(value, issue.path)),
        allowed: told ? issue.message : allowed,
        fix: remove ? removal(key, path) : assignment(key, path, suggestion),
      },
    ];
  });
}

/** An element of a map whose name is wrong, whatever its value is. */
function badName(key: string, path: string, name: string, allowed: string): Problem {
  return {
    where: shownName(key + path),
    found: `the name ${shown(name)}`,
    allowed,
    fix: removal(key, path),
  };
}

/** One step of a path, as `${PULUMI} config set --path` takes it. */
function step(part: PropertyKey): string {
  if (typeof part === "number") return `[${part}]`;
  const name = String(part);
  return /^[\w-]+$/.test(name) ? `.${name}` : `["${name.replaceAll('"', String.raw`\"`)}"]`;
}

function assignment(key: string, path: string, word: string): string {
  if (path === "") return `${PULUMI} config set ${key} ${word}`;
  return canBeTyped(path) ? `${PULUMI} config set --path ${shellQuoted(key + path)} ${word}` : byHand;
}

function removal(key: string, path = ""): string {
  if (!canBeTyped(key + path)) return byHand;
  return path === ""
    ? `${PULUMI} config rm ${shellWord(key)}`
    : `${PULUMI} config rm --path ${shellQuoted(key + path)}`;
}

const byHand = "take it out of the stack's file, Pulumi.STACK.yaml, in an editor";

/** The element of a list or map that a problem is about. */
function elementAt(value: string, path: readonly PropertyKey[]): unknown {
  if (path.length === 0) return value;
  let element: unknown = JSON.parse(value);
  for (const part of path) element = (element as Record<PropertyKey, unknown> | undefined)?.[part];
  return element;
}
