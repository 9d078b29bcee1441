import { existsSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SandboxError } from "./errors.ts";
import { readText, writeWhole } from "./files.ts";
import type { SandboxPaths } from "./paths.ts";

/** Chosen once for a sandbox, because the state of its stacks contains these addresses. */
export interface SandboxConfig {
  emulatorPort: number;
  registryPort: number;
}

/** The address of the emulated Google APIs. */
export function emulatorUrl(config: SandboxConfig): string {
  return `http://127.0.0.1:${config.emulatorPort}`;
}

/** The registry's `HOST:PORT`. */
export function registryHost(config: SandboxConfig): string {
  return `localhost:${config.registryPort}`;
}

/** The ports of the sandbox; undefined before the first `up`. */
export function readConfig(paths: SandboxPaths): SandboxConfig | undefined {
  const text = readText(paths.config);
  if (text === undefined) return undefined;
  try {
    const { emulatorPort, registryPort } = JSON.parse(text) as Partial<SandboxConfig>;
    if (Number.isInteger(emulatorPort) && Number.isInteger(registryPort))
      return { emulatorPort: Number(emulatorPort), registryPort: Number(registryPort) };
  } catch {
    // Reported below.
  }
  throw new SandboxError(
    `${paths.config} is damaged: it must contain {"emulatorPort": NUMBER, "registryPort": NUMBER}.\n` +
      "Start again: npm run sandbox -- down --force && npm run sandbox",
  );
}

/** The ports of the sandbox, chosen at the first call. */
export async function ensureConfig(paths: SandboxPaths): Promise<SandboxConfig> {
  const known = readConfig(paths);
  if (known) return known;
  refuseForeignFolder(paths);
  await mkdir(paths.root, { recursive: true, mode: 0o700 });
  const { claimPorts } = await import("./ports.ts");
  const [emulatorPort = 0, registryPort = 0] = await claimPorts(paths.root, 2);
  const config = { emulatorPort, registryPort };
  await mkdir(paths.state, { recursive: true, mode: 0o700 });
  await writeWhole(paths.config, `${JSON.stringify(config, null, 2)}\n`);
  return config;
}

/** Refuses a folder with other files, because `down` removes the sandbox's folder. */
function refuseForeignFolder(paths: SandboxPaths): void {
  const found = existsSync(paths.root) ? readdirSync(paths.root) : [];
  const foreign = found.filter((name) => join(paths.root, name) !== paths.cache);
  if (foreign.length > 0)
    throw new SandboxError(
      `${paths.root} contains other files (${foreign.slice(0, 3).join(", ")}): ` +
        "set HYPERION_SANDBOX_DIR to a folder that is empty or does not exist",
    );
}
