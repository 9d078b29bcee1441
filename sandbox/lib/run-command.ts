import { execa } from "execa";

export interface RunOptions {
  cwd?: string;
  /** Added to this process's variables; undefined removes one. */
  env?: NodeJS.ProcessEnv;
  /** After so many milliseconds it is ended. */
  timeout?: number;
  /** Sees what the command writes to its standard error while it runs. */
  onErrorOutput?: (text: string) => void;
}

export interface RunResult {
  /** Whether it ended with exit code 0. */
  ok: boolean;
  stdout: string;
  stderr: string;
  /** In one line why it failed; empty when it did not. */
  failure: string;
}

/** Runs a command to its end, with nothing to read. Never throws: a command that is missing has failed, too. */
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

/** The last lines of a command's output. */
export function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n");
}
