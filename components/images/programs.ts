import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import * as path from "node:path";

/** What came of a program. */
export interface Ended {
  /** Undefined where it did not begin, or did not end in time. */
  code?: number | undefined;
  stdout: string;
  stderr: string;
  /** Why there is no code. */
  trouble?: "missing" | "too slow";
}

/**
 * Runs a program to its end. Never rejects.
 * @param milliseconds after which it is ended.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { input = "", milliseconds = 20_000, environment = process.env } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    const child = spawn(program, args, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
    const end = (ended: Pick<Ended, "code" | "trouble">): void => {
      clearTimeout(limit);
      resolve({
        ...ended,
        stdout: Buffer.concat(output).toString(),
        stderr: Buffer.concat(errors).toString(),
      });
    };
    const limit = setTimeout(() => {
      child.kill("SIGKILL");
      // What it started itself may hold the pipe open.
      child.stdout.destroy();
      child.stderr.destroy();
      end({ trouble: "too slow" });
    }, milliseconds);
    child.stdout.on("data", (part: Buffer) => output.push(part));
    child.stderr.on("data", (part: Buffer) => errors.push(part));
    // One that ends before it has read all of its input says by its code what came of it.
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

/** Every program of a name on a PATH, the first found first. */
export function commandsOnPath(name: string, searched = process.env["PATH"] ?? ""): string[] {
  const names = process.platform === "win32" ? [`${name}.exe`, `${name}.cmd`] : [name];
  return searched
    .split(path.delimiter)
    .filter((folder) => folder !== "")
    .flatMap((folder) => names.map((one) => path.join(folder, one)))
    .filter(isExecutable);
}

/** Whether it is a file that may be executed. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
