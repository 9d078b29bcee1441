import { execa } from "execa";
import { interrupt } from "./terminal.ts";

/** Runs pulumi in this terminal. False if it fails, or if the command was interrupted before. */
export async function pulumi(...args: string[]): Promise<boolean> {
  if (interrupt.signal.aborted) return false;
  const child = execa("pulumi", args, { stdio: "inherit", reject: false });
  // Ctrl-C reaches it by itself.
  const stop = (): void => void child.kill("SIGINT");
  process.once("SIGTERM", stop);
  const { failed } = await child;
  process.off("SIGTERM", stop);
  return !failed && !interrupt.signal.aborted;
}
