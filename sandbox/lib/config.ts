import { randomInt } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SandboxError } from "./errors.ts";
import { readText, writeWhole } from "./files.ts";
import type { SandboxPaths } from "./paths.ts";

/** What is chosen once for a sandbox and kept: the state of its stacks holds these addresses. */
export interface SandboxConfig {
  emulatorPort: number;
  registryPort: number;
}

/** Where the emulated Google APIs answer. */
export function emulatorUrl(config: SandboxConfig): string {
  return `http://127.0.0.1:${config.emulatorPort}`;
}

/** What clients call the registry: `HOST:PORT`. */
export function registryHost(config: SandboxConfig): string {
  return `localhost:${config.registryPort}`;
}

// Below the range that the kernel hands out to outgoing connections (32768 and up on Linux), so that no
// connection takes a port while its service is down.
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** The ports of the sandbox; undefined before the first `up`. */
export function readConfig(paths: SandboxPaths): SandboxConfig | undefined {
  const text = readText(paths.config);
  if (text === undefined) return undefined;
  try {
    const { emulatorPort, registryPort } = JSON.parse(text) as Partial<SandboxConfig>;
    if (Number.isInteger(emulatorPort) && Number.isInteger(registryPort))
      return { emulatorPort: Number(emulatorPort), registryPort: Number(registryPort) };
  } catch {
    // Told below.
  }
  throw new SandboxError(
    `${paths.config} is damaged: it must hold {"emulatorPort": NUMBER, "registryPort": NUMBER}.\n` +
      "Begin afresh: npm run sandbox -- down --force && npm run sandbox",
  );
}

/** The ports of the sandbox, chosen now if they are not yet. */
export async function ensureConfig(paths: SandboxPaths): Promise<SandboxConfig> {
  const known = readConfig(paths);
  if (known) return known;
  const emulatorPort = await freePort([]);
  const config = { emulatorPort, registryPort: await freePort([emulatorPort]) };
  refuseForeignFolder(paths);
  await mkdir(paths.root, { recursive: true, mode: 0o700 });
  await mkdir(paths.state, { recursive: true, mode: 0o700 });
  await writeWhole(paths.config, `${JSON.stringify(config, null, 2)}\n`);
  return config;
}

/** `down` removes what is in the folder of a sandbox: it must not be the folder of anything else. */
function refuseForeignFolder(paths: SandboxPaths): void {
  const found = existsSync(paths.root) ? readdirSync(paths.root) : [];
  const foreign = found.filter((name) => join(paths.root, name) !== paths.cache);
  if (foreign.length > 0)
    throw new SandboxError(
      `${paths.root} holds something else already (${foreign.slice(0, 3).join(", ")}): ` +
        "set HYPERION_SANDBOX_DIR to a folder that is empty or does not exist",
    );
}

/**
 * Candidates for a port in an order of their own for each call, so that two sandboxes that start at the same
 * moment hardly ever choose the same one.
 */
export function candidatePorts(start: number = randomInt(FIRST_PORT, LAST_PORT)): number[] {
  return Array.from(
    { length: 200 },
    (_, step) => FIRST_PORT + ((start - FIRST_PORT + step) % (LAST_PORT - FIRST_PORT)),
  );
}

async function freePort(exclude: number[]): Promise<number> {
  const { default: getPort } = await import("get-port");
  return getPort({ port: candidatePorts(), host: "127.0.0.1", exclude });
}
