import { closest, distance } from "fastest-levenshtein";
import type { z } from "zod";
import type { Problem } from "../problems/problem.ts";
import { NAMESPACE, pulumiCommand, stackFile } from "../problems/setting-commands.ts";
import { canBeTyped, shellQuoted, shellWord, shown, shownName } from "../problems/wording.ts";

/** The most typing errors in a name that still gets a suggestion. */
const MOST_ERRORS = 3;

/** The words of messages about a setting. */
export interface Wording {
  /** The allowed values. */
  allowed: string;
  /** A valid value as a shell word; for a list or a map, a valid element. */
  example: string;
  /** Whether the setting is a list or a map, which one word cannot set. */
  composite: boolean;
}

/** Reports unknown keys, with the closest setting. */
export function unknownKeys(config: Readonly<Record<string, string>>, names: readonly string[]): Problem[] {
  return Object.keys(config).flatMap((key) => {
    const namespace = key.slice(0, key.indexOf(":"));
    const name = key.slice(namespace.length + 1);
    if (namespace === NAMESPACE && names.includes(name)) return [];
    // A plugin checks its own settings.
    if (namespace !== NAMESPACE && typingErrors(namespace, NAMESPACE) > MOST_ERRORS) return [];
    const nearest = nearestOf(name, names);
    const meant = typingErrors(name, nearest) <= MOST_ERRORS ? `${NAMESPACE}:${nearest}` : undefined;
    return [
      {
        where: shownName(key),
        found: "a setting that does not exist",
        allowed: meant ?? names.join(", "),
        // Renaming keeps the value, which a command would have to show.
        fix: meant === undefined ? removal(key) : `rename it to ${meant} in the stack's file, ${stackFile()}`,
      },
    ];
  });
}

function nearestOf(name: string, names: readonly string[]): string {
  const lowered = names.map((one) => one.toLowerCase());
  return names[lowered.indexOf(closest(name.toLowerCase(), lowered))] ?? "";
}

function typingErrors(one: string, other: string): number {
  return distance(one.toLowerCase(), other.toLowerCase());
}

/** Reports a secret. No setting can be one, because every setting reaches plain properties of resources. */
export function secretProblem(key: string, { allowed, example, composite }: Wording): Problem {
  return {
    where: key,
    found: "a secret",
    allowed: `plain text: ${allowed}`,
    fix: composite ? removal(key) : pulumiCommand(`config set ${key} ${example}`),
  };
}

/** Reports the problems of a setting; for a list or a map, of each element. */
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
    const hasMessage = issue.code === "custom" && issue.message !== "" && issue.message !== "Invalid input";
    const instead: unknown = params?.["instead"];
    const suggestion = typeof instead === "string" ? shellWord(instead) : example;
    const remove = params?.["remove"] === true || (path === "" && composite);
    return [
      {
        where: shownName(key + path),
        found: value === undefined ? "nothing" : shown(elementAt(value, issue.path)),
        allowed: hasMessage ? issue.message : allowed,
        fix: remove ? removal(key, path) : assignment(key, path, suggestion),
      },
    ];
  });
}

/** Reports an element of a map with an invalid name. */
function badName(key: string, path: string, name: string, allowed: string): Problem {
  return {
    where: shownName(key + path),
    found: `the name ${shown(name)}`,
    allowed,
    fix: removal(key, path),
  };
}

/** One step of a path, as `pulumi config set --path` takes it. */
function step(part: PropertyKey): string {
  if (typeof part === "number") return `[${part}]`;
  const name = String(part);
  return /^[\w-]+$/.test(name) ? `.${name}` : `["${name.replaceAll('"', String.raw`\"`)}"]`;
}

function assignment(key: string, path: string, word: string): string {
  if (path === "") return pulumiCommand(`config set ${key} ${word}`);
  return canBeTyped(path) ? pulumiCommand(`config set --path ${shellQuoted(key + path)} ${word}`) : edit();
}

function removal(key: string, path = ""): string {
  if (!canBeTyped(key + path)) return edit();
  const name = path === "" ? shellWord(key) : `--path ${shellQuoted(key + path)}`;
  return pulumiCommand(`config rm ${name}`);
}

const edit = (): string => `remove it from the stack's file, ${stackFile()}, in an editor`;

function elementAt(value: string, path: readonly PropertyKey[]): unknown {
  if (path.length === 0) return value;
  let element: unknown = JSON.parse(value);
  for (const part of path) element = (element as Record<PropertyKey, unknown> | undefined)?.[part];
  return element;
}
