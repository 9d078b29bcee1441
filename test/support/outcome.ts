import { expect } from "vitest";
import type { Outcome } from "./sandbox.ts";

/** The output of a command that must succeed. */
export function passed({ code, output }: { code: number | undefined; output: string }): string {
  expect(code, output).toBe(0);
  return output;
}

/** The output of a command that must fail. */
export function failed({ code, output }: { code: number | undefined; output: string }): string {
  expect(code, output).not.toBe(0);
  return output;
}

/** The trimmed standard output of a command that must succeed. */
export function stdoutOf(outcome: Outcome): string {
  passed(outcome);
  return outcome.stdout.trim();
}
