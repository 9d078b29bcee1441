import { join } from "node:path";
import { compileCache, type SandboxPaths } from "../lib/paths.ts";
import { emulatorUrl, type SandboxConfig } from "../lib/config.ts";
import { ensureService } from "../lib/supervision.ts";

/** Starts the emulated Google APIs if they do not run. */
export async function ensureEmulator(paths: SandboxPaths, config: SandboxConfig): Promise<boolean> {
  const url = emulatorUrl(config);
  return ensureService(paths, "emulator", config.emulatorPort, () => ({
    command: process.execPath,
    args: [join(import.meta.dirname, "emulator-process.ts"), paths.root],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    address: url,
    ready: () => answers(url),
    readyWithinMs: 30_000,
  }));
}

/** Whether an HTTP server answers, with any status. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
