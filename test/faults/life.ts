import { rm } from "node:fs/promises";
import { expect } from "vitest";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { expectDeclared } from "./declared.ts";
import { clearFaults, faultsLeft, google } from "./google.ts";
import { type Command, pluginsOf, succeeding, unasked } from "./fixing.ts";
import { words } from "./shell.ts";
import type { Survival } from "./survives.ts";

const TRANSIENT = /googleapi: Error|Google answered|Could not read/;

/** A Google without anything, and no stack. */
export async function startAnew(sandbox: Sandbox): Promise<void> {
  await clearFaults(sandbox);
  await sandbox.pulumi(...unasked("destroy"), "--refresh");
  await words(sandbox, "fault", "emulator", "stop");
  await rm(sandboxPaths(sandbox.root).emulatorState);
  await words(sandbox, "fault", "emulator", "start");
  await google(sandbox, "PUT", "sandbox/org-policy", { mode: "deny" });
}

/** Provisions from nothing, updates, refreshes, destroys and provisions again; returns what was printed. */
export async function live(sandbox: Sandbox): Promise<string> {
  const set = (path: string, value: string) => sandbox.pulumi("config", "set", "--path", path, value);
  const run = (command: Command) => succeeding(sandbox, command);
  await set("labels.round", "one");
  await set("readers[0]", "user:lee@example.com");
  await set("githubRefs[0]", "refs/heads/main");
  const first = await run("up");
  await set("labels.round", "two");
  await set("readers[0]", "user:kim@example.com");
  await set("githubRefs[0]", "refs/heads/release");
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
