/**
 * Puts what was being done before an error, in the real plugin's words:
 * `1 error occurred:` and `Error creating Repository: googleapi: Error 403: ...`.
 */
export async function worded<Result>(doing: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw new Error(`1 error occurred:\n\t* ${doing}: ${reason(error)}\n\n`, { cause: error });
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch hides why the connection failed.
  const cause = error.cause instanceof Error ? `: ${error.cause.message || error.cause.name}` : "";
  return error.message + cause;
}
