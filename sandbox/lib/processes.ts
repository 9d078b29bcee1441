import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process. The start time distinguishes it from a later process with the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of `/proc/PID/stat`: start time in clock ticks since boot. */
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
  // The second field, the command in parentheses, can contain spaces and parentheses.
  const [state = "", parent = "", group = "", ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state, parent: Number(parent), group: Number(group), startTicks: rest[16] ?? "" };
}

export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat && { pid, startTicks: stat.startTicks };
}

/** Whether the process runs. A zombie does not. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid);
  return stat !== undefined && stat.startTicks === identity.startTicks && !isOver(stat.state);
}

function isOver(state: string): boolean {
  return state === "Z" || state === "X";
}

/** Every process, zombies included. */
export function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

export function allProcesses(): number[] {
  return processIds().filter((pid) => {
    const stat = readStat(pid);
    return stat !== undefined && !isOver(stat.state);
  });
}

/** The arguments of a process, joined by spaces; empty if it is gone. */
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

/** Sends a signal to a process, which may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Polls `done` every 50 ms; false after a timeout. */
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
 * Ends a process and its process group: SIGTERM, then SIGKILL after `graceMs` milliseconds (immediately if 0). Does nothing
 * if the process is gone.
 */
export async function terminate(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (!isAlive(identity)) return;
  if (graceMs > 0) {
    // A stopped process (SIGSTOP) does not receive SIGTERM.
    signal(identity.pid, "SIGCONT");
    signal(identity.pid, "SIGTERM");
    await waitUntil(() => !isAlive(identity), graceMs);
  }
  for (const pid of membersOf(identity.pid)) signal(pid, "SIGKILL");
  await waitUntil(() => membersOf(identity.pid).length === 0, 5_000);
}
