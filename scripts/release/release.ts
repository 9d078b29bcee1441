import { createInterface } from "node:readline/promises";
import { execa } from "execa";
import type { StackConfig } from "./stack-config.ts";

/** What is released, and how. */
export interface Release {
  version: string;
  stack: string;
  rollback: boolean;
  dryRun: boolean;
  /** Publish without asking. */
  yes: boolean;
}

/** Set by a Ctrl-C, which what runs in the same terminal gets too. */
const interrupt = new AbortController();

/**
 * Shows the preview, asks, and publishes by `pulumi up`. The version stays in the stack's file from the moment that
 * something may have been published; every other setting, and until then the version too, is put back, whatever happens.
 *
 * @returns whether it was published.
 */
export async function release(release: Release, config: StackConfig): Promise<boolean> {
  const { version, stack, rollback, dryRun, yes } = release;
  const onStack = ["--stack", stack];
  let begun = false;
  catchSignals();
  try {
    await config.set("version", version);
    if (rollback) await config.set("rollback", "true");
    if (!(await pulumi("preview", ...onStack))) return false;
    if (dryRun || !(yes || (await agreed(release)))) return false;
    begun = true;
    return await pulumi("up", "--yes", "--skip-preview", ...onStack);
  } finally {
    if (rollback) await config.restore("rollback");
    if (!begun) await config.restore("version");
    if (!begun && !dryRun) console.error("\nThe settings are as they were; nothing was published.");
  }
}

function catchSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      interrupt.abort();
    });
}

/** Runs pulumi in this terminal; false where it fails, or where it was not begun any more. */
async function pulumi(...args: string[]): Promise<boolean> {
  if (interrupt.signal.aborted) return false;
  const child = execa("pulumi", args, { stdio: "inherit", reject: false });
  // Ctrl-C reaches it by itself.
  const stop = (): void => void child.kill("SIGINT");
  process.once("SIGTERM", stop);
  const { failed } = await child;
  process.off("SIGTERM", stop);
  return !failed && !interrupt.signal.aborted;
}

async function agreed({ version, stack, rollback }: Release): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on("SIGINT", () => {
    interrupt.abort();
  });
  const closed = new Promise<string>((resolve) =>
    terminal.once("close", () => {
      resolve("");
    }),
  );
  const question = rollback
    ? `Let the floating tags go back to ${version}, on the stack ${stack}?`
    : `Publish ${version} on the stack ${stack}?`;
  try {
    const answer = terminal.question(`\n${question} [y/N] `, { signal: interrupt.signal });
    return /^y(es)?$/i.test((await Promise.race([answer, closed])).trim());
  } catch (error) {
    if (interrupt.signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}
