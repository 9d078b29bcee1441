import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One resource of a stack's state. */
export interface StateResource {
  type: string;
  urn: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** The record of a real plugin for one resource. */
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

/** A record, or a resource of a state, without values that differ from run to run. */
export function comparable({
  id,
  inputs,
  outputs,
}: Pick<PluginRecord, "id" | "inputs" | "outputs">): unknown {
  const normalized = JSON.stringify({ id, inputs, outputs: normalizeValues(outputs) })
    .replaceAll(/localhost:\d+/g, "localhost:PORT")
    .replaceAll("localhost:PORT/proj/repo/", "localhost:PORT/production-471918/hyperion-public/")
    .replaceAll(/sha256:[0-9a-f]{64}/g, "sha256:DIGEST")
    .replaceAll(/"contextDigest":"[0-9a-f]{64}"/g, '"contextDigest":"DIGEST"')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME");
  return JSON.parse(normalized);
}

const VOLATILE = new Set(["etag", "uniqueId"]);

/** The record describes secret labels in words. */
function normalizeValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalizeValues);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => {
      if (VOLATILE.has(key)) return [key, typeof entry];
      if (key === "effectiveLabels" || key === "pulumiLabels") return [key, secretLabels(entry)];
      return [key, normalizeValues(entry)];
    }),
  );
}

const SECRET_LABELS = "(secret in the state; a map of labels, goog-pulumi-provisioned=true among them)";

function secretLabels(value: unknown): unknown {
  if (value === SECRET_LABELS) return SECRET_LABELS;
  const plaintext = (value as { plaintext?: string }).plaintext;
  const labels = plaintext === undefined ? {} : (JSON.parse(plaintext) as Record<string, string>);
  return labels["goog-pulumi-provisioned"] === "true" ? SECRET_LABELS : value;
}

/** The resource of this type and name in a state. */
export function resourceOf(state: StateResource[], type: string, name: string): Required<StateResource> {
  const found = state.find((resource) => resource.type === type && resource.urn.endsWith(`::${name}`));
  if (found === undefined) throw new Error(`no ${type} ${name} in the state`);
  return { id: "", inputs: {}, outputs: {}, ...found };
}
