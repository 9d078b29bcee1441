import { readFileSync } from "node:fs";
import { allProcesses, commandLine } from "../../sandbox/lib/processes.ts";
import type { Sandbox } from "../support/sandbox.ts";

/** `getconf CLK_TCK` of Linux, on every architecture that Node.js supports. */
const TICKS_PER_SECOND = 100;

/** CPU seconds, which other load on the machine hardly changes. */
export interface Work {
  /** Pulumi's process. */
  engine: number;
  /** Everything else: the program, the plugins, their child processes, and the sandbox's services. */
  rest: number;
}

/** Measures the work of `pulumi ARGS`, which has to succeed, on the project in `folder`. */
export async function measureWork(sandbox: Sandbox, folder: string, args: readonly string[]): Promise<Work> {
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

/** The ticks of the engine that works on `folder`, so far. The sandbox's `pulumi` starts it with `-C`. */
function engineTicks(folder: string): number {
  return allProcesses()
    .filter((pid) => commandLine(pid).includes("pulumi -C ") && commandLine(pid).includes(folder))
    .reduce((sum, pid) => sum + ticks(pid, 2), 0);
}

/** The ticks of the sandbox's services and of their ended children, so far. */
function servicesTicks({ root }: Sandbox): number {
  return allProcesses()
    .filter((pid) => commandLine(pid).includes(`${root}/`))
    .reduce((sum, pid) => sum + ticks(pid, 4), 0);
}

/** @param fields 2: user and kernel time of the process; 4: also of its ended children. */
function ticks(pid: number, fields: 2 | 4): number {
  try {
    // proc(5): field 3 follows the name, which is in parentheses; fields 14 to 17 are the times.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "");
    return stat
      .split(" ")
      .slice(11, 11 + fields)
      .reduce((sum, field) => sum + Number(field), 0);
  } catch {
    return 0; // the process has ended
  }
}
