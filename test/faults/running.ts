import { execa } from "execa";
import { expect } from "vitest";
import { signal } from "../../sandbox/lib/processes.ts";
import { withDescendants } from "../support/processes.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { fault, faultsLeft } from "./google.ts";
import { unasked } from "./fixing.ts";

const PATIENCE = { timeout: 60_000, interval: 10 };

/** A `pulumi up` that is on its way. */
export interface RunningUp {
  /** What came of it. */
  ended: Promise<{ code: number | undefined; signal: string | undefined; output: string }>;
  /** Kills it as soon as it has printed so many steps, with its plugins and the program. */
  killAt(steps: number): Promise<void>;
  /** Waits until it says something. */
  says(words: RegExp): Promise<void>;
  /** Ctrl-C. */
  interrupt(): void;
}

/** Starts `pulumi up`. */
export function startUp(sandbox: Sandbox): RunningUp {
  const child = execa("pulumi", unasked("up"), {
    env: sandbox.env,
    extendEnv: false,
    reject: false,
    all: true,
  });
  const pid = child.pid ?? 0;
  let printed = "";
  child.all.on("data", (data: Buffer) => (printed += data.toString()));
  const ended = child.then(({ exitCode, signal: by, all }) => ({ code: exitCode, signal: by, output: all }));
  return {
    ended,
    killAt: async (steps) => {
      child.all.on("data", () => {
        // The plugins and the program have process groups of their own.
        if (stepsIn(printed) >= steps) for (const each of withDescendants(pid)) signal(each, "SIGKILL");
      });
      expect(await ended).toMatchObject({ signal: "SIGKILL" });
    },
    says: (words) => expect.poll(() => printed, PATIENCE).toMatch(words),
    interrupt: () => {
      signal(pid, "SIGINT");
    },
  };
}

/** Starts a `pulumi up` and returns once it waits for Google to write a grant, which takes so many milliseconds. */
export async function startSlowUp(sandbox: Sandbox, milliseconds: number): Promise<RunningUp> {
  await fault(sandbox, { kind: "delay", milliseconds, method: "POST", route: "*repositories*:setIamPolicy" });
  const up = startUp(sandbox);
  await expect.poll(() => faultsLeft(sandbox), PATIENCE).toEqual([]);
  return up;
}

/** How many creations an update has printed the beginning or the end of. */
export function stepsIn(output: string): number {
  return output.match(/ creat(ing|ed)\b/g)?.length ?? 0;
}
