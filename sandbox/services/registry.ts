import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRegistryFault } from "../emulator/support/faults/fault.ts";
import { Faults } from "../emulator/support/faults/faults.ts";
import { registryConfigYaml } from "../emulator/support/registry/config.ts";
import { writeWhole } from "../lib/files.ts";
import { findRegistry } from "../lib/registry-program.ts";
import type { SandboxPaths } from "../lib/paths.ts";
import { registryHost, type SandboxConfig } from "../lib/config.ts";
import { commandLine } from "../lib/processes.ts";
import { accepts, ensureService, runningService, stopService } from "../lib/supervision.ts";

const PROXY_PROCESS = join(import.meta.dirname, "registry-proxy-process.ts");

/** Starts the registry if it does not run; behind a proxy if it has faults. */
export async function ensureRegistry(paths: SandboxPaths, config: SandboxConfig): Promise<boolean> {
  await writeRegistryConfig(paths, config);
  return ensureService(paths, "registry", config.registryPort, () => ({
    ...(hasFault(paths)
      ? {
          command: process.execPath,
          args: [PROXY_PROCESS, paths.root],
        }
      : { command: findRegistry(), args: ["serve", paths.registryConfig] }),
    address: `https://${registryHost(config)}`,
    ready: () => accepts(config.registryPort),
    readyWithinMs: 20_000,
  }));
}

/** Restarts a running registry with or without the proxy if its faults require that. */
export async function applyRegistryFaults(paths: SandboxPaths, config: SandboxConfig): Promise<void> {
  const record = runningService(paths, "registry");
  if (!record || commandLine(record.pid).includes(PROXY_PROCESS) === hasFault(paths)) return;
  await stopService(paths, "registry");
  await ensureRegistry(paths, config);
}

function hasFault(paths: SandboxPaths): boolean {
  return new Faults(paths.faults).all().some(isRegistryFault);
}

export async function writeRegistryConfig(
  paths: SandboxPaths,
  config: SandboxConfig,
  behindProxyAt?: number,
): Promise<void> {
  await mkdir(paths.registry, { recursive: true });
  const key = await readFile(paths.key);
  const yaml = registryConfigYaml({
    ...config,
    ...(behindProxyAt !== undefined && { behindProxyAt }),
    storage: paths.registry,
    certificate: paths.certificate,
    key: paths.key,
    // Derived from the key because a new secret would abort uploads at a restart.
    httpSecret: createHash("sha256").update("registry uploads").update(key).digest("hex"),
  });
  await writeWhole(paths.registryConfig, yaml, 0o600);
}
