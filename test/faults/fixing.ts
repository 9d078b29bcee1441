import { expect } from "vitest";
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
  return `\`pulumi ${command}\`: ${changesIn(await expectSuccess(sandbox, command)).join(", ")}`;
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
  const next = await runAndSummarize(sandbox, "up");
  await expectDeclared(sandbox, extras);
  return { happened, seen, next, plugins: pluginsOf(sandbox) };
}

/**
 * Runs `pulumi refresh`, which has to find the change, and one further `pulumi up`.
 *
 * @param changes the changes that the `up` has to report.
 */
export async function fixByRefresh(
  sandbox: Sandbox,
  happened: string,
  changes: string,
  extras?: Extras,
): Promise<Survival> {
  const seen = changesIn(await expectSuccess(sandbox, "refresh")).filter(
    (change) => !change.endsWith(" unchanged"),
  );
  expect(seen).not.toEqual([]);
  const row = await fixByUp(sandbox, happened, `\`pulumi refresh\`: ${seen.join(", ")}`, extras);
  expect(row.next).toContain(changes);
  return { ...row, next: `\`pulumi refresh\`, then ${row.next}` };
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
