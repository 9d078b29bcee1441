import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { SandboxPaths } from "./paths.ts";

/** An exit code as in a shell: 128 plus the signal if a signal ended the command. */
export type ExitCode = number;

/** The wrapper that runs `pulumi` on the sandbox's project. */
export function pulumiCommand(paths: SandboxPaths): string {
  return join(paths.bin, "pulumi");
}

/** Runs a command on this terminal. The command handles Ctrl-C. */
export function runAttached(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", env });
    const ignore = () => undefined;
    const pass = () => child.kill("SIGTERM");
    // The terminal sends SIGINT to the command too.
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

export function stackExists(paths: SandboxPaths, stack: string): boolean {
  return existsSync(join(paths.stacks, `${stack}.json`));
}
