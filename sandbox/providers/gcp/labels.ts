import type { Difference } from "../rpc/diff.ts";
import { type Properties, record, secret } from "../rpc/values.ts";

/** The program's labels and the provider's. */
export function pulumiLabels(wanted: Properties): Properties {
  return { "goog-pulumi-provisioned": "true", ...record(wanted, "labels") };
}

/** All labels after an update: keeps labels of others, removes labels that the program no longer sets. */
export function effectiveLabels(wanted: Properties, old: Properties | undefined): Properties {
  const declared = pulumiLabels(wanted);
  const before = record(old, "pulumiLabels") ?? {};
  const others = Object.entries(record(old, "effectiveLabels") ?? {}).filter(([key]) => !(key in before));
  return { ...Object.fromEntries(others), ...declared };
}

/**
 * The real plugin's outputs: the program's labels, those with the provider's, and all labels; the last two are secret.
 *
 * @param declared labels that the program and the provider set; empty on an import.
 */
export function labelOutputs(live: Properties, labels: Properties, declared: Properties): Properties {
  const found = (keys: Properties): Properties =>
    Object.fromEntries(Object.entries(live).filter(([key]) => key in keys));
  return { labels: found(labels), pulumiLabels: secret(found(declared)), effectiveLabels: secret(live) };
}

/** Detects a removed or changed label of the provider, which `labels` does not contain. */
export function labelDifferences(old: Properties, wanted: Properties): Difference[] {
  const live = record(old, "effectiveLabels") ?? {};
  const program = record(wanted, "labels") ?? {};
  const lost = Object.entries(pulumiLabels(wanted)).some(
    ([key, value]) => !(key in program) && live[key] !== value,
  );
  return lost ? [{ path: "effectiveLabels", kind: "update", replaces: false }] : [];
}
