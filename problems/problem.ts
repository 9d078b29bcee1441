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
  const error = new RunError([`${count}; ${sofar}.`, ...problemBlocks(problems)].join("\n\n"));
  // The SDK colours it, never to be shown; for its own frames that takes Node.js 12 s and 2.7 GB (nodejs/node#64136).
  delete error.stack;
  return error;
}

/** Each problem as lines of its own. */
export function problemBlocks(problems: readonly Problem[]): string[] {
  return problems.map(
    ({ where, found, allowed, fix }) =>
      `${where}\n  found:   ${found}\n  allowed: ${allowed}\n  fix:     ${fix}`,
  );
}
