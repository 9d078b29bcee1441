import { randomUUID } from "node:crypto";
import type { ApiError } from "./http/errors.ts";
import type { Operation } from "./resources.ts";
import type { Context } from "./context.ts";

/** How many operations are remembered, over all projects. */
const KEPT = 200;

export interface NewOperation {
  /** The part of the name before the id: `projects/P/locations/L/operations`. */
  under: string;
  metadata?: Record<string, unknown>;
  response?: Record<string, unknown>;
  /** In place of a response, the operation ends in this error. */
  error?: ApiError;
}

/**
 * Carries an operation out. As at Google it is answered as running, without `done`, which is left out where it is false;
 * whoever asks for it finds it done (https://docs.cloud.google.com/artifact-registry/docs/reference/rest/Shared.Types/Operation).
 */
export function startOperation(
  context: Context,
  { under, metadata, response, error }: NewOperation,
): Operation {
  const begun: Operation = { name: `${under}/${randomUUID()}`, ...(metadata && { metadata }) };
  const finished: Operation = {
    ...begun,
    done: true,
    ...(error
      ? { error: { code: error.rpcCode, message: error.message } }
      : { response: response ?? { "@type": "type.googleapis.com/google.protobuf.Empty" } }),
  };
  context.store.change((state) => {
    state.operations[begun.name] = finished;
    for (const name of Object.keys(state.operations).slice(0, -KEPT))
      Reflect.deleteProperty(state.operations, name);
  });
  return begun;
}
