import { randomUUID } from "node:crypto";
import type { ApiError } from "./http/errors.ts";
import type { Operation } from "./resources.ts";
import type { Context } from "./context.ts";

/** How many operations are kept, over all projects. */
const KEPT = 200;

export interface NewOperation {
  /** The name without the id: `projects/P/locations/L/operations`. */
  under: string;
  metadata?: Record<string, unknown>;
  response?: Record<string, unknown>;
  /** The operation ends in this error instead of a response. */
  error?: ApiError;
}

/**
 * Stores a finished operation and returns it as running, as Google does: `done` is absent while it is false
 * (https://docs.cloud.google.com/artifact-registry/docs/reference/rest/Shared.Types/Operation).
 */
export function startOperation(
  context: Context,
  { under, metadata, response, error }: NewOperation,
): Operation {
  const started: Operation = { name: `${under}/${randomUUID()}`, ...(metadata && { metadata }) };
  const finished: Operation = {
    ...started,
    done: true,
    ...(error
      ? { error: { code: error.rpcCode, message: error.message } }
      : { response: response ?? { "@type": "type.googleapis.com/google.protobuf.Empty" } }),
  };
  context.store.change((state) => {
    state.operations[started.name] = finished;
    for (const name of Object.keys(state.operations).slice(0, -KEPT))
      Reflect.deleteProperty(state.operations, name);
  });
  return started;
}
