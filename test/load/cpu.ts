import { readFileSync } from "node:fs";
import { allProcesses, commandLine } from "../../sandbox/lib/processes.ts";
import type { Sandbox } from "../support/sandbox.ts";

/** Of Linux, for every architecture that Node.js runs on (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;

/** Seconds of a core: unlike the time on a clock, hardly more when something else runs on the machine. */
export interface Work {
  /** Pulumi's own process. */
  engine: number;
  /** All else: the program, the plugins, what they start, and the sandbox's services. */
  rest: number;
}

/** Runs `pulumi ARGS` on the project in `folder`; fails unless it succeeds. */
export async function workOf(sandbox: Sandbox, folder: string, args: readonly string[]): Promise<Work> {
  const before = servicesTicks(sandbox);
  const script = 'TIMEFORMAT="cpu %U %S"; time pulumi "$@"';
  let engine = 0;
  const sample = setInterval(() => {
    engine = Math.max(engine, engineTicks(folder) / TICKS_PER_SECOND);
  }, 50);
  const { code, output } = await sandbox.command("bash", ["-c", script, "bash", ...args, "--cwd", folder]);
  clearInterval(sample);
  const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(output) ?? [];
  if (code !== 0 || user === undefined) throw new Error(`pulumi ${args.join(" ")}: ${output}`);
  const services = (servicesTicks(sandbox) - before) / TICKS_PER_SECOND;
  return { engine, rest: Number(user) + Number(system) - engine + services };
}

/** What the engine that works on `folder` took so far: the sandbox's `pulumi` starts it with `-C`. */
function engineTicks(folder: string): number {
  return allProcesses()
    .filter((pid) => commandLine(pid).includes("pulumi -C ") && commandLine(pid).includes(folder))
    .reduce((sum, pid) => sum + ticks(pid, 2), 0);
}

/** What the processes of the sandbox that stay took so far, with their children that ended. */
function servicesTicks({ root }: Sandbox): number {
  return allProcesses()
    .filter((pid) => commandLine(pid).includes(`${root}/`))
    .reduce((sum, pid) => sum + ticks(pid, 4), 0);
}

/** @param fields 2: the times of the process itself, in the program and in the kernel; 4: those of its ended children, too. */
function ticks(pid: number, fields: 2 | 4): number {
  try {
    // proc(5): after the name, which is in brackets, field 3 comes first; 14 to 17 are the times.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "");
    return stat
      .split(" ")
      .slice(11, 11 + fields)
      .reduce((sum, field) => sum + Number(field), 0);
  } catch {
    return 0; // it ended meanwhile
  }
}
