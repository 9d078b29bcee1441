import { RunError } from "@pulumi/pulumi";

/** Something a person can fix: what is wrong, where, what is allowed, and the command that fixes it. */
export interface Problem {
  /** A setting's key or a path. */
  where: string;
  found: string;
  allowed: string;
  /** A command to run, as it stands. */
  fix: string;
}

/**
 * One error for all problems, so that a person fixes them in one go; printed without a stack trace.
 *
 * @param sofar what became of the run.
 */
export function problemsError(problems: readonly Problem[], sofar = "nothing was changed"): RunError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return stopError([`${count}; ${sofar}.`, ...problemBlocks(problems)].join("\n\n"));
}

/** Each problem as lines of its own. */
export function problemBlocks(problems: readonly Problem[]): string[] {
  return problems.map(
    ({ where, found, allowed, fix }) =>
      `${where}\n  found:   ${found}\n  allowed: ${allowed}\n  fix:     ${fix}`,
  );
}

/** An error that is printed as it reads, wherever it is thrown: without a stack trace, and with nothing before it. */
export function stopError(message: string): RunError {
  const error = new RunError(message);
  // The SDK colours it, never to be shown; for its own frames that takes Node.js 12 s and 2.7 GB (nodejs/node#64136).
  delete error.stack;
  // Of whatever waits for it the SDK puts 'error serializing property "name": ' before the message of this very error.
  Object.defineProperty(error, "message", { get: () => message, set: () => undefined });
  return error;
}
