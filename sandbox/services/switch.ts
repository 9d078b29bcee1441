import { SandboxError } from "../lib/errors.ts";
import { whileLocked } from "../lib/lock.ts";
import { type SandboxPaths, sandboxPaths } from "../lib/paths.ts";
import { requireMade } from "../lib/require-sandbox.ts";
import { ensureEmulator } from "./emulator.ts";
import { ensureEngine } from "./engine.ts";
import { stopOwnEngine } from "../machine/engine/own-engine.ts";
import { terminate } from "../lib/processes.ts";
import { applyRegistryFaults, ensureRegistry } from "./registry.ts";
import { runningService, type ServiceName, stopService } from "../lib/supervision.ts";

/** Applies the active faults to the running registry. */
export async function switchRegistryFaults(paths: SandboxPaths = sandboxPaths()): Promise<void> {
  const { config } = requireMade(paths);
  await whileLocked(paths, () => applyRegistryFaults(paths, config));
}

/** Stops, kills or starts a service; returns a message. */
export async function switchService(
  name: ServiceName,
  action: "stop" | "kill" | "start",
  paths: SandboxPaths = sandboxPaths(),
): Promise<string> {
  const { config, tools } = requireMade(paths);
  if (name === "docker" && tools.engine.kind === "yours")
    throw new SandboxError(
      `the Docker engine at ${tools.engine.host} is your own: the sandbox does not stop it`,
    );
  return whileLocked(paths, async () => {
    if (action === "start") {
      if (name === "emulator") await ensureEmulator(paths, config);
      else if (name === "registry") await ensureRegistry(paths, config);
      else await ensureEngine(paths, tools.engine);
      return `${name} runs`;
    }
    const record = runningService(paths, name);
    if (!record) return `${name} does not run`;
    if (action === "kill") await terminate(record, 0);
    else if (name === "docker") await stopOwnEngine(paths);
    else await stopService(paths, name);
    return `${name} is stopped; start it again: npm run sandbox -- fault ${name} start`;
  });
}
