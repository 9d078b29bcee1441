import { SandboxError } from "./errors.ts";
import { type SandboxPaths } from "./paths.ts";
import { readConfig, type SandboxConfig } from "./config.ts";
import { runningService } from "./supervision.ts";
import { readTools, type Tools } from "./tools.ts";

export function noSandbox(paths: SandboxPaths): SandboxError {
  return new SandboxError(`there is no sandbox in ${paths.root}. Start one: npm run sandbox`);
}

/** @throws SandboxError if the sandbox was never up. */
export function requireMade(paths: SandboxPaths): { config: SandboxConfig; tools: Tools } {
  const config = readConfig(paths);
  const tools = readTools(paths);
  if (config && tools) return { config, tools };
  throw noSandbox(paths);
}

/** @throws SandboxError unless all services run. */
export function requireRunning(paths: SandboxPaths): { config: SandboxConfig; tools: Tools } {
  const made = requireMade(paths);
  const needed =
    made.tools.engine.kind === "own"
      ? (["emulator", "registry", "docker"] as const)
      : (["emulator", "registry"] as const);
  const dead = needed.filter((name) => !runningService(paths, name));
  if (dead.length === 0) return made;
  throw new SandboxError(
    `the sandbox does not run: ${dead.join(", ")} ${dead.length === 1 ? "is" : "are"} stopped. Start it: npm run sandbox`,
  );
}
