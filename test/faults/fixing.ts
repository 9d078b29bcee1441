import { expect } from "vitest";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { pluginsServing } from "../../sandbox/providers/install.ts";
import { failed, passed } from "../support/outcome.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { type Besides, expectDeclared } from "./declared.ts";
import type { Survival } from "./survives.ts";

export type Command = "up" | "refresh" | "destroy";

/** A pulumi command that asks nothing. */
export function unasked(command: Command): string[] {
  return [command, "--yes", "--skip-preview"];
}

/** Runs a pulumi command that has to succeed; returns what it printed. */
export async function succeeding(sandbox: Sandbox, command: Command): Promise<string> {
  return passed(await sandbox.tryPulumi(...unasked(command)));
}

/** Runs a pulumi command that has to succeed; returns what it did: "`pulumi up`: 3 created, 22 unchanged". */
export async function fix(sandbox: Sandbox, command: Command): Promise<string> {
  return `\`pulumi ${command}\`: ${changesIn(await succeeding(sandbox, command)).join(", ")}`;
}

/** Runs a pulumi command that has to fail; returns what it printed. */
export async function failing(sandbox: Sandbox, command: Command = "up"): Promise<string> {
  return failed(await sandbox.tryPulumi(...unasked(command)));
}

/** One further `pulumi up`, which has to reach the declared state. */
export async function fixed(
  sandbox: Sandbox,
  happened: string,
  seen: string,
  besides?: Besides,
): Promise<Survival> {
  const next = await fix(sandbox, "up");
  await expectDeclared(sandbox, besides);
  return { happened, seen, next, plugins: pluginsOf(sandbox) };
}

/**
 * `pulumi refresh`, which has to see what changed, and one further `pulumi up`.
 *
 * @param changes what the `up` has to report.
 */
export async function refreshAndFix(
  sandbox: Sandbox,
  happened: string,
  changes: string,
  besides?: Besides,
): Promise<Survival> {
  const seen = changesIn(await succeeding(sandbox, "refresh")).filter(
    (change) => !change.endsWith(" unchanged"),
  );
  expect(seen).not.toEqual([]);
  const row = await fixed(sandbox, happened, `\`pulumi refresh\`: ${seen.join(", ")}`, besides);
  expect(row.next).toContain(changes);
  return { ...row, next: `\`pulumi refresh\`, then ${row.next}` };
}

/** The plugins that serve a sandbox: "gcp (fake), docker (fake)". */
export function pluginsOf(sandbox: Sandbox): string {
  return pluginsServing(sandboxPaths(sandbox.root).pulumiHome)
    .map(({ name, kind }) => `${name} ${kind}`)
    .join(", ");
}

/** What the summary of an update counts: "3 created", "22 unchanged". */
function changesIn(output: string): string[] {
  const [, resources = ""] = output.split("\nResources:\n");
  return [...resources.matchAll(/^ +(?:\S+ )?(\d+ \w+)$/gm)].map(([, change = ""]) => change);
}
