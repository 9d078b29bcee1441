import { expect } from "vitest";
import type { Sandbox } from "../support/sandbox.ts";

/** `npm run sandbox -- WORDS`, which has to succeed; returns what it printed on standard output. */
export async function words(sandbox: Sandbox, ...args: string[]): Promise<string> {
  const { code, stdout, output } = await sandbox.run(...args);
  expect(code, output).toBe(0);
  return stdout;
}

/** A command of the machine, which has to succeed; returns what it printed on standard output. */
export async function onMachine(sandbox: Sandbox, name: string, args: readonly string[]): Promise<string> {
  const { code, stdout, output } = await sandbox.command(name, args);
  expect(code, output).toBe(0);
  return stdout;
}

/** Whether the Docker engine is the machine's own, which the sandbox leaves alone. */
export async function engineIsYours(sandbox: Sandbox): Promise<boolean> {
  return (await words(sandbox, "status", "--json")).includes("Docker engine (yours)");
}

/** Does some work with another value of a variable of the sandbox's shell. */
export async function withVariable<T>(
  sandbox: Sandbox,
  name: string,
  value: string,
  work: () => Promise<T>,
): Promise<T> {
  const before = sandbox.env[name];
  sandbox.env[name] = value;
  try {
    return await work();
  } finally {
    sandbox.env[name] = before;
  }
}
