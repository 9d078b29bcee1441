import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { vi } from "vitest";
import { Scratch, useNew } from "./scratch.ts";

/** The project's folder. */
export const root = path.resolve(import.meta.dirname, "../..");

const tools = [
  ..."awk bash basename cat chmod cp cut date dirname env find grep head jq kill ls mkdir mktemp mv node".split(
    " ",
  ),
  ..."printf rm sed seq sh sleep sort tail tee touch tr uname wc".split(" "),
];

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A running script. */
export interface RunningScript {
  child: ChildProcessWithoutNullStreams;
  /** Waits until the output contains this, or the script has ended. */
  prints: (text: string) => Promise<void>;
  ended: Promise<Ended>;
}

/**
 * Runs scripts in a folder with a PATH of common tools and the test's fakes. A fake is a bash script, in which `record "$@"`
 * records the call, and `has WORD` checks for a word in the variable ANSWERS.
 */
export class Shell extends Scratch {
  private readonly bin = this.path("bin");
  private readonly record = this.path("record");
  environment: NodeJS.ProcessEnv = {
    PATH: this.bin,
    HOME: this.folder,
    TMPDIR: this.folder,
    RECORD: this.record,
    ANSWERS: "",
  };

  constructor() {
    super();
    mkdirSync(this.bin);
    for (const tool of tools) this.pass(tool);
  }

  /** Adds this machine's command to PATH if it exists. */
  pass(tool: string): void {
    const file = which(tool);
    if (file !== undefined) symlinkSync(file, path.join(this.bin, tool));
  }

  /** Adds or replaces a command on PATH. */
  fake(name: string, body: string): void {
    const record = `record() { local IFS=' '; echo "${name} $*" >>"$RECORD"; }`;
    const has = `has() { [[ " $ANSWERS " == *" $1 "* ]]; }`;
    this.write(`bin/${name}`, `#!${this.path("bin/bash")}\n${record}\n${has}\n${body}\n`, 0o755);
  }

  /** Removes a command from PATH. */
  without(name: string): void {
    rmSync(path.join(this.bin, name), { force: true });
  }

  /** The recorded calls, such as `docker push x`. */
  calls(): string[] {
    return this.read("record").split("\n").filter(Boolean);
  }

  forgetCalls(): void {
    rmSync(this.record, { force: true });
  }

  /** Runs a script of the project in the folder, by bash or (`.ts`) by Node.js. */
  run(script: string, args: string[] = [], input = ""): Ended {
    const { folder: cwd, environment: env } = this;
    const options = { cwd, env, input, encoding: "utf8", timeout: 60_000 } as const;
    const words = [path.resolve(root, script), ...args];
    const { status, stdout, stderr } = spawnSync(this.program(script), words, options);
    return { status, stdout, stderr };
  }

  /** Gives this process the folder's environment, until the end of the test. */
  enter(): void {
    for (const name of Object.keys({ ...process.env, ...this.environment }))
      vi.stubEnv(name, this.environment[name]);
  }

  /** Runs a script's main function in this process, in the folder's environment. */
  async call(main: () => Promise<number>): Promise<Ended> {
    this.enter();
    const printed = { stdout: "", stderr: "" };
    const writers = (["stdout", "stderr"] as const).map((stream) =>
      vi.spyOn(process[stream], "write").mockImplementation((text) => {
        printed[stream] += String(text);
        return true;
      }),
    );
    const status = await main();
    for (const writer of writers) writer.mockRestore();
    return { status, ...printed };
  }

  /** Runs commands by bash in the folder. */
  bash(commands: string): Ended {
    return this.run(this.write("commands.sh", commands));
  }

  /** Starts a script in its own process group. */
  start(script: string, args: string[] = []): RunningScript {
    const { folder: cwd, environment: env } = this;
    const words = [path.resolve(root, script), ...args];
    const child = spawn(this.program(script), words, { cwd, env, detached: true });
    const printed = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const)
      child[stream].on("data", (data: Buffer) => (printed[stream] += data.toString()));
    return {
      child,
      prints: async (text) => {
        while (!`${printed.stdout}${printed.stderr}`.includes(text) && child.exitCode === null)
          await wait(20);
      },
      ended: once(child, "close").then(([status]) => ({ status: status as number | null, ...printed })),
    };
  }

  private program(script: string): string {
    return script.endsWith(".ts") ? process.execPath : path.join(this.bin, "bash");
  }
}

/** A new shell for each test of a file. */
export const useShell = (): Shell => useNew(Shell);

function which(tool: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, tool))
    .find((file) => existsSync(file));
}
