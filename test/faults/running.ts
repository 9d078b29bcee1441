import { expect } from "vitest";
import { signal } from "../../sandbox/lib/processes.ts";
import { fault, faultsLeft } from "../support/google.ts";
import { withDescendants } from "../support/processes.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { unasked } from "./fixing.ts";

const PATIENCE = { timeout: 60_000, interval: 10 };

/** Starts `pulumi up`. */
export function startUp(sandbox: Sandbox) {
  const running = sandbox.start("pulumi", unasked("up"));
  return {
    /** What came of it. */
    ended: running.ended,
    /** Kills it as soon as it has printed so many steps, with its plugins and the program. */
    killAt: async (steps: number): Promise<void> => {
      running.onPrint((so) => {
        // The plugins and the program have process groups of their own.
        if (stepsIn(so) >= steps) for (const each of withDescendants(running.pid)) signal(each, "SIGKILL");
      });
      expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
    },
    /** Waits until it says something. */
    says: (words: RegExp): Promise<void> => expect.poll(() => running.printed(), PATIENCE).toMatch(words),
    /** Ctrl-C. */
    interrupt: (): void => {
      signal(running.pid, "SIGINT");
    },
  };
}

/** Starts a `pulumi up` and returns once it waits for Google to write a grant, which takes so many milliseconds. */
export async function startSlowUp(sandbox: Sandbox, milliseconds: number) {
  await fault(sandbox, { kind: "delay", milliseconds, method: "POST", route: "*repositories*:setIamPolicy" });
  const up = startUp(sandbox);
  await expect.poll(() => faultsLeft(sandbox), PATIENCE).toEqual([]);
  return up;
}

/** How many creations an update has printed the beginning or the end of. */
export function stepsIn(output: string): number {
  return output.match(/ creat(ing|ed)\b/g)?.length ?? 0;
}
