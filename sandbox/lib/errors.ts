/** What went wrong in words for the user: shown without a stack trace. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
}
