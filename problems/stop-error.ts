import { RunError } from "@pulumi/pulumi";

/** An error that the SDK prints as its message alone, wherever the program throws it. */
export function stopError(message: string): RunError {
  const error = new RunError(message);
  // The SDK colours the stack without printing it. For its own frames that takes Node.js 12 s and 2.7 GB (nodejs/node#64136).
  delete error.stack;
  // The SDK prepends 'error serializing property "name": ' for each property that depends on the error.
  Object.defineProperty(error, "message", { get: () => message, set: () => {} });
  return error;
}
