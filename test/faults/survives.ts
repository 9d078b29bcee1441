import { test } from "vitest";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { requireRunning } from "../../sandbox/lib/require-sandbox.ts";
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
    /** The outcomes of the test's faults, by fault. */
    survivals?: Readonly<Record<string, Survival>>;
  }
}

/** Skips a test; the reason says why this machine cannot provoke the fault. */
type Skip = (reason: string) => never;

/** Whether the sandbox has its own Docker engine, which a test can kill. */
export function hasOwnEngine({ root }: Sandbox): boolean {
  return requireRunning(sandboxPaths(root)).tools.engine.kind === "own";
}

/** Defines a test that provokes `fault`, checks that nothing is lost, and records the outcome. */
export function survives(fault: string, provoke: (skip: Skip) => Promise<Survival>): void {
  survivesAll([fault], async (skip) => ({ [fault]: await provoke(skip) }));
}

/** The same for several faults with the same recovery. */
export function survivesAll<Fault extends string>(
  faults: readonly Fault[],
  provoke: (skip: Skip) => Promise<Record<Fault, Survival>>,
): void {
  test(faults.join("; "), async ({ task, skip }) => {
    task.meta.survivals = await provoke(skip);
  });
}
