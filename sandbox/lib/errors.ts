/** What went wrong in words for the user: shown without a stack trace. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
