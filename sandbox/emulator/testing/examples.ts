import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { z } from "zod";
import type { TestEmulator } from "./emulator.ts";

/**
 * Recorded answers of Google, with the names of the sandbox's project. `{name}` stands for a value that varies: its first
 * occurrence sets it, and later ones must be equal.
 */
const example = z.strictObject({
  /** Where it was recorded. */
  source: z.url(),
  exchanges: z.array(
    z.strictObject({
      request: z.strictObject({ method: z.string(), path: z.string(), body: z.unknown().optional() }),
      status: z.number(),
      answer: z.record(z.string(), z.unknown()),
    }),
  ),
});

const PLACEHOLDER = /\{(\w+)\}/;

/** Sends the requests of an example, and fails unless the answers are Google's, field by field. */
export async function replay(emulator: TestEmulator, file: URL): Promise<void> {
  const { exchanges } = example.parse(JSON.parse(readFileSync(file, "utf8")));
  const known = new Map<string, string>();
  for (const { request, status, answer } of exchanges) {
    const { method, path, body } = filled(request, known) as typeof request;
    const found = await emulator.call(method, path, body);
    expect(found, `${method} ${path}`).toEqual({ status, body: noted(answer, found.body, known) });
  }
}

/** Replaces placeholders by known values. */
function filled(value: unknown, known: ReadonlyMap<string, string>): unknown {
  return mapTexts(value, undefined, (text) =>
    text.replace(new RegExp(PLACEHOLDER, "g"), (all, name: string) => known.get(name) ?? all),
  );
}

/** Replaces placeholders by the values that were found, and notes them. `{time}` may differ each time. */
function noted(expected: unknown, found: unknown, known: Map<string, string>): unknown {
  return mapTexts(filled(expected, known), found, (text, actual) => {
    const name = PLACEHOLDER.exec(text)?.[1];
    if (name === undefined || typeof actual !== "string") return text;
    const [before = "", after = ""] = text.split(`{${name}}`);
    const value = actual.slice(before.length, actual.length - after.length);
    if (!(name === "time" ? TIME : VALUE).test(value)) return text;
    if (name !== "time") known.set(name, value);
    return before + value + after;
  });
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const VALUE = /^\S+$/;

/** Copies a value and changes each text; `found` is the value at the same place in another one. */
function mapTexts(value: unknown, found: unknown, change: (text: string, found: unknown) => string): unknown {
  if (typeof value === "string") return change(value, found);
  if (typeof value !== "object" || value === null) return value;
  const other = (typeof found === "object" && found !== null ? found : {}) as Record<string, unknown>;
  if (Array.isArray(value))
    return value.map((item, index): unknown => mapTexts(item, other[String(index)], change));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapTexts(item, other[key], change)]),
  );
}
