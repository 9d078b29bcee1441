import { spawn } from "node:child_process";
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
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    const child = spawn(program, args, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
    const end = (ended: Pick<ProgramResult, "code" | "trouble">): void => {
      clearTimeout(limit);
      resolve({
        ...ended,
        stdout: Buffer.concat(output).toString(),
        stderr: Buffer.concat(errors).toString(),
      });
    };
    const limit = setTimeout(() => {
      child.kill("SIGKILL");
      // Its child processes may keep the pipes open.
      child.stdout.destroy();
      child.stderr.destroy();
      end({ trouble: "too slow" });
    }, milliseconds);
    child.stdout.on("data", (part: Buffer) => output.push(part));
    child.stderr.on("data", (part: Buffer) => errors.push(part));
    // A program may end before it has read its input. Its code counts.
    child.stdin.on("error", () => undefined);
    child.on("error", () => {
      end({ trouble: "missing" });
    });
    child.on("close", (code) => {
      end({ code: code ?? 1 });
    });
    child.stdin.end(input);
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
