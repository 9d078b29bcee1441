import type { RunError } from "@pulumi/pulumi";
import { stopError } from "./stop-error.ts";

/** A problem that a person can fix. */
export interface Problem {
  /** A setting's key or a path. */
  where: string;
  found: string;
  allowed: string;
  /** A command that can be copied and run. */
  fix: string;
}

/** What a check found: problems stop the run, warnings are logged. */
export interface Findings {
  problems: Problem[];
  warnings: Problem[];
}

/**
 * Makes one error of all problems, so that a person fixes them in one go. It prints without a stack trace.
 *
 * @param soFar what the run has changed.
 */
export function problemsError(problems: readonly Problem[], soFar = "nothing was changed"): RunError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return stopError([`${count}; ${soFar}.`, ...problemBlocks(problems)].join("\n\n"));
}

/** Formats each problem as a block of lines. */
export function problemBlocks(problems: readonly Problem[]): string[] {
  return problems.map(
    ({ where, found, allowed, fix }) =>
      `${where}\n  found:   ${found}\n  allowed: ${allowed}\n  fix:     ${fix}`,
  );
}
