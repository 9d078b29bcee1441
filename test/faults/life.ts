import { rm } from "node:fs/promises";
import { expect } from "vitest";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { passed } from "../support/outcome.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { expectDeclared } from "./declared.ts";
import { clearFaults, faultsLeft, google } from "../support/google.ts";
import { type Command, pluginsOf, succeeding, unasked } from "./fixing.ts";
import type { Survival } from "./survives.ts";

const TRANSIENT = /googleapi: Error|Google answered|Could not read/;

/** A Google without anything, and no stack. */
export async function startAnew(sandbox: Sandbox): Promise<void> {
  await clearFaults(sandbox);
  await sandbox.pulumi(...unasked("destroy"), "--refresh");
  passed(await sandbox.run("fault", "emulator", "stop"));
  await rm(sandboxPaths(sandbox.root).emulatorState);
  passed(await sandbox.run("fault", "emulator", "start"));
  await google(sandbox, "PUT", "sandbox/org-policy", { mode: "deny" });
}

/** Provisions from nothing, updates, refreshes, destroys and provisions again; returns what was printed. */
export async function live(sandbox: Sandbox): Promise<string> {
  const run = (command: Command) => succeeding(sandbox, command);
  const set = (round: string, reader: string, ref: string) =>
    sandbox.set({ "labels.round": round, "readers[0]": reader, "githubRefs[0]": ref });
  await set("one", "user:lee@example.com", "refs/heads/main");
  const first = await run("up");
  await set("two", "user:kim@example.com", "refs/heads/release");
  return [first, await run("up"), await run("refresh"), await run("destroy"), await run("up")].join("\n");
}

/** A life in which every fault strikes, and nobody has to do or to read anything. */
export async function lived(sandbox: Sandbox, happened: string): Promise<Survival> {
  const output = await live(sandbox);
  expect(await faultsLeft(sandbox)).toEqual([]);
  await expectDeclared(sandbox);
  expect(output).not.toMatch(TRANSIENT);
  return { happened, seen: "nothing", next: "none", plugins: pluginsOf(sandbox) };
}
