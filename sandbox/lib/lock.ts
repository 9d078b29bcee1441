import { tmpdir } from "node:os";
import { join } from "node:path";
import { lock } from "proper-lockfile";
import { SandboxError } from "./errors.ts";
import { type SandboxPaths, shortName } from "./paths.ts";

/** Runs `work` when no other command starts or stops services of the same sandbox. */
export async function whileLocked<T>(paths: SandboxPaths, work: () => Promise<T>): Promise<T> {
  return thenRelease(await acquire(paths), work);
}

async function acquire(paths: SandboxPaths): Promise<() => Promise<void>> {
  // Outside the sandbox's folder, which `down` removes.
  const file = join(tmpdir(), `hyperion-${shortName(paths.root)}.lock`);
  const options = { realpath: false, lockfilePath: file, stale: 10_000 };
  try {
    return await lock(paths.root, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
    console.error("waiting for another command that uses this sandbox");
  }
  try {
    return await lock(paths.root, { ...options, retries: { retries: 1200, factor: 1, minTimeout: 500 } });
  } catch (error) {
    throw new SandboxError(`another command still uses this sandbox: ${(error as Error).message}`);
  }
}

/** Runs `work` when no other process has this lock. */
export async function whileHolding<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const release = await lock(lockFile, {
    realpath: false,
    lockfilePath: lockFile,
    stale: 15_000,
    // Installing or building takes several minutes on a small machine.
    retries: { retries: 1800, factor: 1, minTimeout: 1_000 },
  });
  return thenRelease(release, work);
}

async function thenRelease<T>(release: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await release();
  }
}
