import { readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const project = z.object({
  config: z.record(z.string(), z.object({ type: z.string(), default: z.unknown(), description: z.string() })),
});

/** The settings in Pulumi.yaml. */
export const declaredSettings = project.parse(
  parse(readFileSync(path.join(import.meta.dirname, "../../Pulumi.yaml"), "utf8")),
).config;

/** A stack's configuration as the engine passes it: the defaults in Pulumi.yaml, and changes. */
export function stackConfig(changes: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  const defaults = Object.entries(declaredSettings).map(
    ([name, { default: value }]) => [name, value] as const,
  );
  return {
    "gcp:project": "production-471918",
    "gcp:region": "us-central1",
    ...Object.fromEntries(
      [...defaults, ...Object.entries(changes)].map(([name, value]) => [
        name.includes(":") ? name : `hyperion-registry:${name}`,
        text(value),
      ]),
    ),
  };
}
