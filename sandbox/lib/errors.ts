/** An error whose message is for the user. It is printed without a stack trace. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
}
