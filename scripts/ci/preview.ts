import { z } from "zod";
import { fromJson } from "../../problems/wording.ts";

const state = z.object({ type: z.string() }).nullish();

/**
 * The parts of `pulumi preview --json` and `pulumi refresh --preview-only --json` that this file reads; taken from Pulumi
 * 3.259.
 */
const previewOutput = z.object({
  steps: z
    .array(
      z.object({
        op: z.string(),
        urn: z.string(),
        oldState: state,
        newState: state,
        detailedDiff: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .nullish(),
  diagnostics: z.array(z.object({ severity: z.string(), message: z.string() })).nullish(),
});

/** A resource that would change. */
export interface Change {
  /** `create`, `update`, `delete`, `replace`, `import`, ... */
  operation: string;
  /** `gcp:artifactregistry/repository:Repository`. */
  type: string;
  /** The last part of the URN. */
  name: string;
  /** The changed properties; empty for a new or deleted resource. */
  properties: string[];
}

export interface Preview {
  changes: Change[];
  /** Error messages; empty if the preview succeeded. */
  errors: string[];
  /** Warnings. */
  warnings: string[];
  /** Messages of the program, such as the tags that would move. */
  notes: string[];
}

/** Steps that change nothing. A difference that `refresh` finds is another step, `update` or `delete`. */
const idle = ["same", "refresh", "read", "read-replacement", "discard"];

/**
 * Reads a preview.
 *
 * @param text the output of Pulumi, which is empty after an early failure.
 */
export function readPreview(text: string): Preview {
  const output = previewOutput.safeParse(fromJson(text));
  if (!output.success) return { changes: [], errors: ["Pulumi printed no preview"], warnings: [], notes: [] };
  const { steps, diagnostics } = output.data;
  const messages = (wanted: string): string[] =>
    (diagnostics ?? []).filter(({ severity }) => severity === wanted).map(({ message }) => message.trim());
  return {
    changes: (steps ?? [])
      .filter(({ op }) => !idle.includes(op))
      .map(({ op, urn, oldState, newState, detailedDiff }) => ({
        operation: op,
        type: newState?.type ?? oldState?.type ?? "",
        name: urn.replace(/^.*::/, ""),
        properties: Object.keys(detailedDiff ?? {}),
      })),
    errors: messages("error"),
    warnings: messages("warning"),
    notes: messages("info").flatMap((message) => message.split("\n").filter(Boolean)),
  };
}

/** Whether a change only concerns Pulumi's state: the stack and its providers. */
export function isBookkeeping({ type }: Change): boolean {
  return type.startsWith("pulumi:providers:") || type === "pulumi:pulumi:Stack";
}

/** A change as one line: `update gcp:artifactregistry/repository:Repository registry (description)`. */
export function describe({ operation, type, name, properties }: Change): string {
  const what = properties.length > 0 ? ` (${properties.join(", ")})` : "";
  return `${operation} ${type} ${name}${what}`;
}
