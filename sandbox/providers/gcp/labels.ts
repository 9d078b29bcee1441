import type { Difference } from "../rpc/diff.ts";
import { type Properties, record, secret } from "../rpc/values.ts";

/** The labels that a program's labels ask for, with the provider's own. */
export function pulumiLabels(wanted: Properties): Properties {
  return { "goog-pulumi-provisioned": "true", ...record(wanted, "labels") };
}

/** All labels there will be: somebody else's stay, those that the program no longer sets go. */
export function effectiveLabels(wanted: Properties, old: Properties | undefined): Properties {
  const asked = pulumiLabels(wanted);
  const before = record(old, "pulumiLabels") ?? {};
  const others = Object.entries(record(old, "effectiveLabels") ?? {}).filter(([key]) => !(key in before));
  return { ...Object.fromEntries(others), ...asked };
}

/**
 * What the real plugin makes of labels: those that the program sets, those with the provider's own, and all that are
 * there; the last two secret in the state.
 *
 * @param asked what the program and the provider set; on an import nothing is known of that
 */
export function labelOutputs(live: Properties, labels: Properties, asked: Properties): Properties {
  const found = (keys: Properties): Properties =>
    Object.fromEntries(Object.entries(live).filter(([key]) => key in keys));
  return { labels: found(labels), pulumiLabels: secret(found(asked)), effectiveLabels: secret(live) };
}

/** A label of the provider that somebody removed or changed: invisible in `labels` alone. */
export function labelDifferences(old: Properties, wanted: Properties): Difference[] {
  const live = record(old, "effectiveLabels") ?? {};
  const program = record(wanted, "labels") ?? {};
  const lost = Object.entries(pulumiLabels(wanted)).some(
    ([key, value]) => !(key in program) && live[key] !== value,
  );
  return lost ? [{ path: "effectiveLabels", kind: "update", replaces: false }] : [];
}
