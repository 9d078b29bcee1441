import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StateResource } from "./context.ts";

/** What a real plugin recorded of one resource. */
export interface PluginRecord {
  name: string;
  id: string;
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
}

/** By resource type. */
export function pluginRecords(): Map<string, PluginRecord[]> {
  const file = join(import.meta.dirname, "plugin-records.json");
  return new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, PluginRecord[]>));
}

/** A record, or a resource of a state, without what differs from run to run. */
export function comparable({
  id,
  inputs,
  outputs,
}: Pick<PluginRecord, "id" | "inputs" | "outputs">): unknown {
  const steady = JSON.stringify({ id, inputs, outputs: steadyValues(outputs) })
    .replaceAll(/localhost:\d+/g, "localhost:PORT")
    .replaceAll(
      /localhost:PORT\/(proj\/repo|production-471918\/hyperion-remote)\//g,
      "localhost:PORT/production-471918/hyperion-public/",
    )
    .replaceAll(/sha256:[0-9a-f]{64}/g, "sha256:DIGEST")
    .replaceAll(/"contextDigest":"[0-9a-f]{64}"/g, '"contextDigest":"DIGEST"')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME");
  return JSON.parse(steady);
}

const volatile = new Set(["etag", "uniqueId"]);

/** The record tells of secret labels in words. */
function steadyValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(steadyValues);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => {
      if (volatile.has(key)) return [key, typeof entry];
      if (key === "effectiveLabels" || key === "pulumiLabels") return [key, secretLabels(entry)];
      return [key, steadyValues(entry)];
    }),
  );
}

const told = "(secret in the state; a map of labels, goog-pulumi-provisioned=true among them)";

function secretLabels(value: unknown): unknown {
  if (value === told) return told;
  const plaintext = (value as { plaintext?: string }).plaintext;
  const labels = plaintext === undefined ? {} : (JSON.parse(plaintext) as Record<string, string>);
  return labels["goog-pulumi-provisioned"] === "true" ? told : value;
}

/** The resource of this type and name in a state. */
export function resourceOf(state: StateResource[], type: string, name: string): Required<StateResource> {
  const found = state.find((resource) => resource.type === type && resource.urn.endsWith(`::${name}`));
  if (found === undefined) throw new Error(`no ${type} ${name} in the state`);
  return { id: "", inputs: {}, outputs: {}, ...found };
}
