import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { pluginsServing } from "../../sandbox/providers/install.ts";
import { failed, passed } from "../support/outcome.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { expectDeclared, type Extras } from "./declared.ts";
import type { Survival } from "./survives.ts";

export type Command = "up" | "refresh" | "destroy";

/** The arguments of a pulumi command that runs without a prompt. */
export function withoutPrompt(command: Command): string[] {
  return [command, "--yes", "--skip-preview"];
}

/** Runs a pulumi command that has to succeed; returns its output. */
export async function expectSuccess(sandbox: Sandbox, command: Command): Promise<string> {
  return passed(await sandbox.tryPulumi(...withoutPrompt(command)));
}

/** Runs a pulumi command that has to succeed; returns a summary such as "`pulumi up`: 3 created, 22 unchanged". */
export async function runAndSummarize(sandbox: Sandbox, command: Command): Promise<string> {
  return summarize(command, await expectSuccess(sandbox, command));
}

/** The same for the output of a command that has run. */
export function summarize(command: Command, output: string): string {
  return `\`pulumi ${command}\`: ${changesIn(output).join(", ")}`;
}

/** Runs a pulumi command that has to fail; returns its output. */
export async function expectFailure(sandbox: Sandbox, command: Command = "up"): Promise<string> {
  return failed(await sandbox.tryPulumi(...withoutPrompt(command)));
}

/** Runs one further `pulumi up`, which has to reach the declared state. */
export async function fixByUp(
  sandbox: Sandbox,
  happened: string,
  seen: string,
  extras?: Extras,
): Promise<Survival> {
  return (await fixAllByUp(sandbox, { fault: { happened, seen } }, extras)).fault;
}

interface Outcome extends Pick<Survival, "happened" | "seen"> {
  /** What comes before the `up`, such as "`pulumi refresh`, then ". */
  before?: string;
}

/** The same for several faults: one `up` has to recover from all. */
export async function fixAllByUp<Fault extends string>(
  sandbox: Sandbox,
  outcomes: Readonly<Record<Fault, Outcome>>,
  extras?: Extras,
): Promise<Record<Fault, Survival>> {
  const up = await runAndSummarize(sandbox, "up");
  await expectDeclared(sandbox, extras);
  return mapFaults(outcomes, ({ happened, seen, before = "" }) => ({
    happened,
    seen,
    next: `${before}${up}`,
    plugins: pluginsOf(sandbox),
  }));
}

/** The outcome of each fault. */
export function mapFaults<Fault extends string, From>(
  faults: Readonly<Record<Fault, From>>,
  survival: (from: From) => Survival,
): Record<Fault, Survival> {
  const entries = Object.entries<From>(faults).map(([fault, from]) => [fault, survival(from)] as const);
  return Object.fromEntries(entries) as Record<Fault, Survival>;
}

/** The plugins of a sandbox: "gcp (fake), docker (fake)". */
export function pluginsOf(sandbox: Sandbox): string {
  return pluginsServing(sandboxPaths(sandbox.root).pulumiHome)
    .map(({ name, kind }) => `${name} ${kind}`)
    .join(", ");
}

/** The counts in the summary of an update: "3 created", "22 unchanged". */
function changesIn(output: string): string[] {
  const [, resources = ""] = output.split("\nResources:\n");
  return [...resources.matchAll(/^ +(?:\S+ )?(\d+ \w+)$/gm)].map(([, change = ""]) => change);
}
