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

/** Ratios of two series, pair by pair, so that a machine that gets slower meanwhile does not matter. */
export function ratio(a: readonly number[], b: readonly number[]): Figure {
  return figure(a.map((value, index) => value / (b[index] ?? Number.NaN)));
}

/** Wall seconds that some work takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/**
 * Peak memory, in MB, of the Pulumi program's own process while some work runs.
 *
 * @param folder counts only programs that run in this folder; default any.
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
      return false; // it ended meanwhile
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
