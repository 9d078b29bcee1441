import { readdirSync, readFileSync } from "node:fs";

/** Median and spread of several measurements, in seconds or MB. */
export interface Figure {
  median: number;
  min: number;
  max: number;
}

export function figure(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const middle =
    (sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0);
  return { median: middle / 2, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** The ratios of two series, pair by pair: a machine that slows down slows both values of a pair. */
export function ratio(a: readonly number[], b: readonly number[]): Figure {
  return figure(a.map((value, index) => value / (b[index] ?? Number.NaN)));
}

/** The duration of some work, in seconds. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/**
 * The peak memory of the Pulumi program's process during some work, in MB.
 *
 * @param folder only counts programs in this folder.
 */
export async function programMemory(work: () => Promise<unknown>, folder = ""): Promise<number> {
  let peak = 0;
  const sample = setInterval(() => {
    peak = Math.max(peak, ...programs(folder).map(highWaterMark));
  }, 20);
  await work();
  clearInterval(sample);
  return peak / 1024;
}

function programs(folder: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return command.includes("pulumi/cmd/run") && command.includes(folder);
    } catch {
      return false; // the process has ended
    }
  });
}

function highWaterMark(pid: string): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
