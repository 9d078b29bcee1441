import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { SandboxPaths } from "./paths.ts";

/** How a command ended, as a shell says it: above 128 when by a signal. */
export type ExitCode = number;

/** The `pulumi` of the sandbox: it works on the sandbox's project. */
export function pulumiCommand(paths: SandboxPaths): string {
  return join(paths.bin, "pulumi");
}

/** Runs a command with this terminal as its own, until it ends. Ctrl-C is the command's to handle. */
export function runAttached(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", env });
    const ignore = () => undefined;
    const pass = () => child.kill("SIGTERM");
    // The terminal sends Ctrl-C to the command as well.
    process.on("SIGINT", ignore);
    process.on("SIGTERM", pass);
    const done = () => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", pass);
    };
    child.once("error", (error) => {
      done();
      reject(error);
    });
    child.once("exit", (code, signal) => {
      done();
      resolve(signal ? 128 + constants.signals[signal] : (code ?? 1));
    });
  });
}

/** Whether a stack of this name exists in the sandbox. */
export function stackExists(paths: SandboxPaths, stack: string): boolean {
  return existsSync(join(paths.stacks, `${stack}.json`));
}
