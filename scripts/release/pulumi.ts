import { execa } from "execa";
import { interrupted } from "../lib/terminal.ts";

/** Runs pulumi in this terminal. Returns false if it fails, and without running it after an interrupt. */
export async function pulumi(...args: string[]): Promise<boolean> {
  if (interrupted.aborted) return false;
  const child = execa("pulumi", args, { stdio: "inherit", reject: false });
  // Ctrl-C reaches the child itself; SIGTERM does not.
  const stop = (): void => void child.kill("SIGINT");
  process.once("SIGTERM", stop);
  const { failed } = await child;
  process.off("SIGTERM", stop);
  return !failed && !interrupted.aborted;
}
