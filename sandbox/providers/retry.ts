import { setTimeout as sleep } from "node:timers/promises";

/** Statuses that pass: too many requests, and a server that is not well. */
export const passingStatus: ReadonlySet<number> = new Set([429, 500, 502, 503]);

/**
 * Tries again, after longer and longer waits, while an attempt fails by something that passes.
 *
 * @param waits milliseconds before the second, third, ... try.
 * @throws what the last attempt threw.
 */
export async function retried<T>(
  attempt: () => Promise<T>,
  passes: (error: unknown) => boolean,
  waits: readonly number[],
  signal: AbortSignal,
): Promise<T> {
  for (const wait of waits) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !passes(error)) throw error;
      await sleep(wait, undefined, { signal });
    }
  }
  return attempt();
}
