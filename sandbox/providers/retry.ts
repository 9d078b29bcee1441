import { setTimeout as sleep } from "node:timers/promises";

/**
 * Retries an attempt while its error is transient.
 *
 * @param waits milliseconds before each retry.
 * @throws the last error.
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  isTransient: (error: unknown) => boolean,
  waits: readonly number[],
  signal: AbortSignal,
): Promise<T> {
  for (const wait of waits) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      await sleep(wait, undefined, { signal });
    }
  }
  return attempt();
}
