import { rm } from "node:fs/promises";
import { expect } from "vitest";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { passed } from "../support/outcome.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { expectDeclared } from "./declared.ts";
import { clearFaults, faultsLeft, google } from "../support/google.ts";
import { type Command, expectSuccess, pluginsOf, withoutPrompt } from "./fixing.ts";
import type { Survival } from "./survives.ts";

const TRANSIENT = /googleapi: Error|Google answered|Could not read/;

/** Destroys the stack, and restarts the emulator with an empty state. */
export async function startEmpty(sandbox: Sandbox): Promise<void> {
  await clearFaults(sandbox);
  await sandbox.pulumi(...withoutPrompt("destroy"), "--refresh");
  passed(await sandbox.run("fault", "emulator", "stop"));
  await rm(sandboxPaths(sandbox.root).emulatorState);
  passed(await sandbox.run("fault", "emulator", "start"));
  await google(sandbox, "PUT", "sandbox/org-policy", { mode: "deny" });
}

/** Provisions from nothing, updates, refreshes, destroys and provisions again; returns the output. */
export async function runLifecycle(sandbox: Sandbox): Promise<string> {
  const run = (command: Command) => expectSuccess(sandbox, command);
  const set = (round: string, reader: string, ref: string) =>
    sandbox.set({ "labels.round": round, "readers[0]": reader, "githubRefs[0]": ref });
  await set("one", "user:lee@example.com", "refs/heads/main");
  const first = await run("up");
  await set("two", "user:kim@example.com", "refs/heads/release");
  return [first, await run("up"), await run("refresh"), await run("destroy"), await run("up")].join("\n");
}

/** Runs the lifecycle with the faults that are set; expects that each occurs, without a message and without a fix. */
export async function surviveLifecycle(sandbox: Sandbox, happened: string): Promise<Survival> {
  const output = await runLifecycle(sandbox);
  expect(await faultsLeft(sandbox)).toEqual([]);
  await expectDeclared(sandbox);
  expect(output).not.toMatch(TRANSIENT);
  return { happened, seen: "nothing", next: "none", plugins: pluginsOf(sandbox) };
}
