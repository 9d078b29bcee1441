import { rm } from "node:fs/promises";
import { expect } from "vitest";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { switchService } from "../../sandbox/services/switch.ts";
import { passed } from "../support/outcome.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { expectDeclared } from "./declared.ts";
import { clearFaults, faultsLeft, google } from "../support/google.ts";
import { type Command, expectSuccess, mapFaults, pluginsOf } from "./fixing.ts";
import type { Survival } from "./survives.ts";

/** A state without resources, for `pulumi stack import`. */
const EMPTY = JSON.stringify({ version: 3, deployment: {} });

const TRANSIENT = /googleapi: Error|Google answered|Could not read/;

/** Empties the stack's state without an engine run, and restarts the emulator with an empty state. */
export async function startEmpty(sandbox: Sandbox): Promise<void> {
  await clearFaults(sandbox);
  passed(await sandbox.command("pulumi", ["stack", "import"], {}, { input: EMPTY }));
  const paths = sandboxPaths(sandbox.root);
  await switchService("emulator", "stop", paths);
  await rm(paths.emulatorState);
  await switchService("emulator", "start", paths);
  await google(sandbox, "PUT", "sandbox/org-policy", { mode: "deny" });
}

/** Provisions from nothing and updates; returns the output. */
export async function runBeginning(sandbox: Sandbox): Promise<string> {
  const set = (round: string, reader: string, ref: string) =>
    sandbox.set({ "labels.round": round, "readers[0]": reader, "githubRefs[0]": ref });
  await set("one", "user:lee@example.com", "refs/heads/main");
  const first = await expectSuccess(sandbox, "up");
  await set("two", "user:kim@example.com", "refs/heads/release");
  return first + (await expectSuccess(sandbox, "up"));
}

/** The same, then refreshes, destroys and provisions again. */
async function runLifecycle(sandbox: Sandbox): Promise<string> {
  const run = (command: Command) => expectSuccess(sandbox, command);
  const beginning = await runBeginning(sandbox);
  return [beginning, await run("refresh"), await run("destroy"), await run("up")].join("\n");
}

/**
 * Runs the lifecycle with the faults that are set; expects that each occurs, without a message and without a fix.
 *
 * @param happened what happened, by fault.
 */
export async function surviveLifecycle<Fault extends string>(
  sandbox: Sandbox,
  happened: Readonly<Record<Fault, string>>,
): Promise<Record<Fault, Survival>> {
  const output = await runLifecycle(sandbox);
  expect(await faultsLeft(sandbox)).toEqual([]);
  await expectDeclared(sandbox);
  expect(output).not.toMatch(TRANSIENT);
  const plugins = pluginsOf(sandbox);
  return mapFaults(happened, (what) => ({ happened: what, seen: "nothing", next: "none", plugins }));
}
