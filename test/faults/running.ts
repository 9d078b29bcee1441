import { expect } from "vitest";
import { signal } from "../../sandbox/lib/processes.ts";
import { fault, faultsLeft } from "../support/google.ts";
import { withDescendants } from "../support/processes.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { withoutPrompt } from "./fixing.ts";

const POLL = { timeout: 60_000, interval: 10 };

export function startUp(sandbox: Sandbox) {
  const running = sandbox.start("pulumi", withoutPrompt("up"));
  return {
    ended: running.ended,
    /** Kills it, its plugins and the program once it has printed this many steps. */
    killAt: async (steps: number): Promise<void> => {
      running.onPrint((output) => {
        // The plugins and the program have their own process groups.
        if (stepsIn(output) >= steps)
          for (const each of withDescendants(running.pid)) signal(each, "SIGKILL");
      });
      expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
    },
    waitForOutput: (words: RegExp): Promise<void> =>
      expect.poll(() => running.printed(), POLL).toMatch(words),
    /** Sends what Ctrl-C sends. */
    interrupt: (): void => {
      signal(running.pid, "SIGINT");
    },
  };
}

/** Starts `pulumi up` with a delayed answer to the first grant; returns when that request is under way. */
export async function startSlowUp(sandbox: Sandbox, milliseconds: number) {
  await fault(sandbox, { kind: "delay", milliseconds, method: "POST", route: "*repositories*:setIamPolicy" });
  const up = startUp(sandbox);
  await expect.poll(() => faultsLeft(sandbox), POLL).toEqual([]);
  return up;
}

/** Counts the started and finished creations and imports in the output of an update. */
function stepsIn(output: string): number {
  return output.match(/ (creat|import)(ing|ed)\b/g)?.length ?? 0;
}
