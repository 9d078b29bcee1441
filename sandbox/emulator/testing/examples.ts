import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { z } from "zod";
import type { TestEmulator } from "./emulator.ts";

/**
 * Recorded answers of Google, with the names of the sandbox's project. `{name}` stands for a value that varies: its first
 * occurrence sets it, and later ones must be equal. `{time}` stands for any time.
 */
const example = z.strictObject({
  /** Where it was recorded. */
  source: z.url(),
  exchanges: z.array(
    z.strictObject({
      request: z.string(),
      body: z.unknown().optional(),
      status: z.number(),
      answer: z.record(z.string(), z.unknown()),
    }),
  ),
});

/** Sends the requests of an example, and fails unless the answers are Google's, field by field. */
export async function replay(emulator: TestEmulator, file: URL): Promise<void> {
  const known: Record<string, string> = {};
  const filled = <T>(value: T): T =>
    JSON.parse(JSON.stringify(value).replace(/\{(\w+)\}/g, (all, name: string) => known[name] ?? all)) as T;
  for (const exchange of example.parse(JSON.parse(readFileSync(file, "utf8"))).exchanges) {
    const { request, body, status, answer } = filled(exchange);
    const [method = "", path = ""] = request.split(" ");
    const found = JSON.stringify(await emulator.call(method, path, body)).replace(TIME, '"{time}"');
    const { body: actual } = JSON.parse(found) as { body: unknown };
    learn(answer, actual, known);
    expect(JSON.parse(found), request).toEqual({ status, body: filled(answer) });
  }
}

const TIME = /"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"/g;

/** Notes the values in the places of unknown placeholders. */
function learn(expected: unknown, found: unknown, known: Record<string, string>): void {
  if (typeof expected === "string" && typeof found === "string") {
    const [, before = "", name, after = ""] = /^(.*)\{(\w+)\}(.*)$/.exec(expected) ?? [];
    const value = found.slice(before.length, found.length - after.length);
    if (name !== undefined && /^\S+$/.test(value)) known[name] ??= value;
  } else if (typeof expected === "object" && expected !== null && typeof found === "object" && found !== null)
    for (const [key, item] of Object.entries(expected))
      learn(item, (found as Record<string, unknown>)[key], known);
}
