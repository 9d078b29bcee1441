import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

/** The project's folder. */
export const root = path.resolve(import.meta.dirname, "../..");

const tools = [
  ..."awk bash basename cat chmod cp cut date dirname env find grep head jq kill ls mkdir mktemp mv node".split(
    " ",
  ),
  ..."printf rm sed seq sh sleep sort tail tee touch tr uname wc".split(" "),
];

/** How a script ended. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/**
 * A folder and a PATH of their own to run a script in: only everyday tools, and the fakes that the
 * test puts there. A fake is a bash script; `record "$@"` in it writes its arguments down.
 */
export class Shell {
  readonly folder = mkdtempSync(path.join(tmpdir(), "hyperion-script-"));
  private readonly bin = path.join(this.folder, "bin");
  private readonly record = path.join(this.folder, "record");
  environment: NodeJS.ProcessEnv;

  constructor() {
    mkdirSync(this.bin);
    for (const tool of tools) this.pass(tool);
    this.environment = { PATH: this.bin, HOME: this.folder, TMPDIR: this.folder, RECORD: this.record };
  }

  /** Puts this machine's own command on the PATH, where it has one. */
  pass(tool: string): void {
    const file = which(tool);
    if (file !== undefined) symlinkSync(file, path.join(this.bin, tool));
  }

  /** Puts a command on the PATH, in the place of one that is there. */
  fake(name: string, body: string): void {
    const file = path.join(this.bin, name);
    rmSync(file, { force: true });
    const record = `record() { local IFS=' '; echo "${name} $*" >>"$RECORD"; }`;
    writeFileSync(file, `#!${path.join(this.bin, "bash")}\n${record}\n${body}\n`);
    chmodSync(file, 0o755);
  }

  /** Takes a command off the PATH. */
  without(name: string): void {
    rmSync(path.join(this.bin, name), { force: true });
  }

  /** Writes a file in the folder and gives its path. */
  write(name: string, text: string): string {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** Appends to a file in the folder. */
  append(name: string, text: string): void {
    appendFileSync(path.join(this.folder, name), text);
  }

  read(name: string): string {
    const file = path.join(this.folder, name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** The calls of fakes so far, `docker push x`, in the order of their beginning. */
  calls(): string[] {
    return this.read("record").split("\n").filter(Boolean);
  }

  forgetCalls(): void {
    rmSync(this.record, { force: true });
  }

  /** Runs a script of the project, by bash or (`.ts`) by Node.js, in the folder. */
  run(script: string, args: string[] = [], input = ""): Ended {
    const { program, file } = this.command(script);
    const { status, stdout, stderr } = spawnSync(program, [file, ...args], {
      cwd: this.folder,
      env: this.environment,
      input,
      encoding: "utf8",
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  }

  /** Starts a script without waiting for it, as the leader of a process group. */
  start(script: string, args: string[] = []): ChildProcess {
    const { program, file } = this.command(script);
    return spawn(program, [file, ...args], {
      cwd: this.folder,
      env: this.environment,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  private command(script: string): { program: string; file: string } {
    const program = script.endsWith(".ts") ? process.execPath : path.join(this.bin, "bash");
    return { program, file: path.join(root, script) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function which(tool: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, tool))
    .find((file) => existsSync(file));
}
