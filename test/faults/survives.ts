import { test } from "vitest";
import { passed } from "../support/outcome.ts";
import type { Sandbox } from "../support/sandbox.ts";

/** The outcome of a fault. */
export interface Survival {
  /** What was lost and what was kept. */
  happened: string;
  /** The message that the person sees. */
  seen: string;
  /** The next command, and its result. */
  next: string;
  /** The plugins of the run. */
  plugins: string;
}

declare module "vitest" {
  interface TaskMeta {
    survival?: Survival;
  }
}

/** Skips a test; the reason says why this machine cannot provoke the fault. */
type Skip = (reason: string) => never;

/** Skips the test if the sandbox uses the machine's Docker engine. */
export async function requireOwnEngine(sandbox: Sandbox, skip: Skip): Promise<void> {
  const status = passed(await sandbox.run("status", "--json"));
  if (status.includes("Docker engine (yours)"))
    skip("the engine is the machine's own: the sandbox leaves it alone");
}

/** Defines a test that provokes `fault`, checks that nothing is lost, and records the outcome. */
export function survives(fault: string, provoke: (skip: Skip) => Promise<Survival>): void {
  test(fault, async ({ task, skip }) => {
    task.meta.survival = await provoke(skip);
  });
}
