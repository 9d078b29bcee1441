import { execa } from "execa";
import { SandboxError } from "./errors.ts";

export interface RunOptions {
  cwd?: string;
  /** Added to this process's variables; undefined removes a variable. */
  env?: NodeJS.ProcessEnv;
  /** False: only the variables of `env`. */
  extendEnv?: boolean;
  /** In milliseconds. */
  timeout?: number;
  /** Receives standard error while the command runs. */
  onErrorOutput?: (text: string) => void;
}

export interface RunResult {
  /** Whether the exit code is 0. */
  ok: boolean;
  stdout: string;
  stderr: string;
  /** The reason for a failure in one line; empty on success. */
  failure: string;
}

/** Runs a command without standard input. Never rejects: a missing command is a failure too. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  const { onErrorOutput, ...rest } = options;
  const child = execa(command, args, { ...rest, reject: false, stdin: "ignore" });
  if (onErrorOutput)
    child.stderr.on("data", (part: Buffer) => {
      onErrorOutput(part.toString("utf8"));
    });
  const result = await child;
  const failure = result.failed ? lastLines(result.stderr, 1) || (result.shortMessage ?? "it failed") : "";
  return { ok: !result.failed, stdout: result.stdout, stderr: result.stderr, failure };
}

/** The same; returns standard output. @throws SandboxError on failure. */
export async function succeed(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const result = await run(command, args, options);
  if (result.ok) return result.stdout;
  const reason = lastLines(result.stderr, 6) || result.failure;
  throw new SandboxError(`${command} ${args.at(-1) ?? ""} failed:\n${reason}`);
}

/** The last lines of a command's output. */
export function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n");
}
