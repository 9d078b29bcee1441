import { test } from "vitest";
import { passed } from "../support/outcome.ts";
import type { Sandbox } from "../support/sandbox.ts";

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

/** Ends a test with the reason why the fault cannot be provoked on this machine. */
type Skip = (reason: string) => never;

/** Skips the test where the Docker engine is the machine's own. */
export async function needOwnEngine(sandbox: Sandbox, skip: Skip): Promise<void> {
  const status = passed(await sandbox.run("status", "--json"));
  if (status.includes("Docker engine (yours)"))
    skip("the engine is the machine's own: the sandbox leaves it alone");
}

/** A test that provokes `fault`, proves that nothing is lost, and returns what came of it. */
export function survives(fault: string, provoke: (skip: Skip) => Promise<Survival>): void {
  test(fault, async ({ task, skip }) => {
    task.meta.survival = await provoke(skip);
  });
}
