import { test } from "vitest";

/** What came of a fault. */
export interface Survival {
  /** What was lost, what was kept. */
  happened: string;
  /** The message, as the person reads it. */
  seen: string;
  /** The next command, and what it did. */
  next: string;
  /** The plugins that it was run with. */
  plugins: string;
}

declare module "vitest" {
  interface TaskMeta {
    survival?: Survival;
  }
}

/**
 * A test that provokes `fault`, proves that nothing is lost, and returns what came of it. `skip` ends it with the
 * reason why the fault cannot be provoked on this machine.
 */
export function survives(
  fault: string,
  provoke: (skip: (reason: string) => never) => Promise<Survival>,
): void {
  test(fault, async ({ task, skip }) => {
    task.meta.survival = await provoke(skip);
  });
}
