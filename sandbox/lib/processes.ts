import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** One process, told apart from a later one of the same number by its start time. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of `/proc/PID/stat`: clock ticks between the start of the machine and that of the process. */
  startTicks: string;
}

interface Stat {
  state: string;
  parent: number;
  group: number;
  startTicks: string;
}

function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field, the command's name in parentheses, may itself hold spaces and parentheses.
  const [state = "", parent = "", group = "", ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state, parent: Number(parent), group: Number(group), startTicks: rest[16] ?? "" };
}

/** Identity of the running process `pid`; undefined when there is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat && { pid, startTicks: stat.startTicks };
}

/** Whether that very process still runs; one that ended and was not yet reaped does not. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid);
  return stat !== undefined && stat.startTicks === identity.startTicks && !isOver(stat.state);
}

function isOver(state: string): boolean {
  return state === "Z" || state === "X";
}

export function allProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = readStat(pid);
      return stat !== undefined && !isOver(stat.state);
    });
}

/** The command line of a process, its arguments joined by spaces; empty when it is gone. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

export function childrenOf(pid: number): number[] {
  return allProcesses().filter((candidate) => readStat(candidate)?.parent === pid);
}

function membersOf(group: number): number[] {
  return allProcesses().filter((pid) => readStat(pid)?.group === group);
}

/** Sends a signal to a process (or, below zero, to a process group); one that is gone is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Waits until `done` holds, looking every 50 ms; false when it does not within `milliseconds`. */
export async function waitUntil(
  done: () => boolean | Promise<boolean>,
  milliseconds: number,
): Promise<boolean> {
  const end = Date.now() + milliseconds;
  while (!(await done())) {
    if (Date.now() > end) return false;
    await sleep(50);
  }
  return true;
}

/**
 * Ends a process that leads a group, and its group: SIGTERM, and SIGKILL for what is left after `graceMs`
 * milliseconds; with 0, SIGKILL at once. Does nothing when that very process is gone.
 */
export async function terminate(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (!isAlive(identity)) return;
  if (graceMs > 0) {
    // A stopped process (SIGSTOP) would not see SIGTERM.
    signal(identity.pid, "SIGCONT");
    signal(identity.pid, "SIGTERM");
    await waitUntil(() => !isAlive(identity), graceMs);
  }
  for (const pid of membersOf(identity.pid)) signal(pid, "SIGKILL");
  await waitUntil(() => membersOf(identity.pid).length === 0, 5_000);
}
