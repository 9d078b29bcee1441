import { expect } from "vitest";
import type { Outcome } from "./sandbox.ts";

/** What a command printed that has to have succeeded, on standard output and standard error. */
export function passed({ code, output }: Pick<Outcome, "code" | "output">): string {
  expect(code, output).toBe(0);
  return output;
}

/** What a command printed that has to have failed. */
export function failed({ code, output }: { code: number | undefined; output: string }): string {
  expect(code, output).not.toBe(0);
  return output;
}

/** What a command printed on standard output that has to have succeeded, without the end of its last line. */
export function stdoutOf(outcome: Outcome): string {
  passed(outcome);
  return outcome.stdout.trim();
}
