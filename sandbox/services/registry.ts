import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { registryConfigYaml } from "../cloud/registry-config";
import { writeWhole } from "../files";
import { findRegistry } from "../install/registry";
import type { SandboxPaths } from "../paths";
import type { SandboxConfig } from "./config";
import { ensureService } from "./supervision";

/** What clients call the registry: `HOST:PORT`. */
export function registryHost(config: SandboxConfig): string {
  return `localhost:${config.registryPort}`;
}

/** Starts the registry unless it runs. */
export async function ensureRegistry(paths: SandboxPaths, config: SandboxConfig): Promise<boolean> {
  await mkdir(paths.registry, { recursive: true });
  const key = await readFile(paths.key);
  const yaml = registryConfigYaml({
    ...config,
    storage: paths.registry,
    certificate: paths.certificate,
    key: paths.key,
    // From the key, so that it stays the same: another one ends the uploads under way at a restart.
    httpSecret: createHash("sha256").update("registry uploads").update(key).digest("hex"),
  });
  await writeWhole(paths.registryConfig, yaml, 0o600);
  return ensureService(paths, "registry", config.registryPort, () => ({
    command: findRegistry(),
    args: ["serve", paths.registryConfig],
    address: `https://${registryHost(config)}`,
    ready: () => accepts(config.registryPort),
    readyWithinMs: 20_000,
  }));
}

/** Whether a server accepts connections on this port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(2_000, () => {
      end(false);
    });
    socket.once("connect", () => {
      end(true);
    });
    socket.once("error", () => {
      end(false);
    });
  });
}
