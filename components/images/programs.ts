import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import * as path from "node:path";

export interface ProgramResult {
  /** Undefined if the program did not start or did not end in time. */
  code?: number | undefined;
  stdout: string;
  stderr: string;
  /** Why the code is undefined. */
  trouble?: "missing" | "too slow";
}

/**
 * Runs a program. Never rejects.
 * @param milliseconds after which the program is killed.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { input = "", milliseconds = 20_000, environment = process.env } = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const limits = { timeout: milliseconds, killSignal: "SIGKILL", maxBuffer: Infinity } as const;
    const child = execFile(program, args, { env: environment, ...limits }, (error, stdout, stderr) => {
      if (error?.killed === true) resolve({ trouble: "too slow", stdout, stderr });
      else if (typeof error?.code === "string") resolve({ trouble: "missing", stdout, stderr });
      else resolve({ code: error === null ? 0 : (error.code ?? 1), stdout, stderr });
    });
    // A program may end before it has read its input. Its code counts.
    child.stdin?.on("error", () => undefined).end(input);
  });
}

/** Finds all programs of a name on a PATH, in its order. */
export function commandsOnPath(name: string, searched = process.env["PATH"] ?? ""): string[] {
  const names = process.platform === "win32" ? [`${name}.exe`, `${name}.cmd`] : [name];
  return searched
    .split(path.delimiter)
    .filter((folder) => folder !== "")
    .flatMap((folder) => names.map((one) => path.join(folder, one)))
    .filter(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
