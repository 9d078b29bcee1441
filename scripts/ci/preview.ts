import { z } from "zod";

/** What matters here of a resource's state in a preview. */
const state = z.object({ type: z.string() }).nullish();

/**
 * The output of `pulumi preview --json` and `pulumi refresh --preview-only --json`, as far as it is
 * used here; taken from Pulumi 3.259.
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
  /** Its logical name, the last part of its URN. */
  name: string;
  /** The properties that differ; empty when it comes or goes. */
  properties: string[];
}

/** What a preview found. */
export interface Preview {
  changes: Change[];
  /** Messages of the errors that ended it; empty when it ended well. */
  errors: string[];
  /** Messages of its warnings. */
  warnings: string[];
  /** What the program reported: which tags would move. */
  notes: string[];
}

/** Steps that change nothing. `refresh` reads; a difference that it finds is a step `update` or `delete`. */
const idle = ["same", "refresh", "read", "read-replacement", "discard"];

/**
 * Reads a preview.
 * @param text what Pulumi printed; it may be empty when Pulumi failed before it began.
 */
export function readPreview(text: string): Preview {
  const output = previewOutput.safeParse(json(text));
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

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a change is about the stack's own entries, plugins and outputs: they are nothing in the cloud. */
export function isBookkeeping({ type }: Change): boolean {
  return type.startsWith("pulumi:providers:") || type === "pulumi:pulumi:Stack";
}

/** A change on one line: `update gcp:artifactregistry/repository:Repository registry (description)`. */
export function describe({ operation, type, name, properties }: Change): string {
  const what = properties.length > 0 ? ` (${properties.join(", ")})` : "";
  return `${operation} ${type} ${name}${what}`;
}
