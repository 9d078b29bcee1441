import { join } from "node:path";
import { repositoryRoot, type SandboxPaths } from "../paths";
import type { SandboxConfig } from "./config";
import { ensureService } from "./supervision";

/** Where the emulated Google APIs answer. */
export function cloudUrl(config: SandboxConfig): string {
  return `http://127.0.0.1:${config.cloudPort}`;
}

/** Starts the emulated Google APIs unless they run. */
export async function ensureCloud(paths: SandboxPaths, config: SandboxConfig): Promise<boolean> {
  const url = cloudUrl(config);
  return ensureService(paths, "cloud", config.cloudPort, () => ({
    command: process.execPath,
    args: [
      "--require",
      require.resolve("tsx/cjs"),
      join(repositoryRoot, "sandbox", "services", "cloud-process.ts"),
      paths.root,
    ],
    env: { ...process.env, TSX_TSCONFIG_PATH: join(repositoryRoot, "tsconfig.json") },
    address: url,
    ready: () => answers(url),
    readyWithinMs: 30_000,
  }));
}

/** Whether an HTTP server answers there, with whatever status. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
