import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { messageOf } from "../../problems/wording.ts";
import { Faults } from "../emulator/support/faults/faults.ts";
import { findRegistry } from "../lib/registry-program.ts";
import { sandboxPaths } from "../lib/paths.ts";
import { readConfig } from "../lib/config.ts";
import { claimPorts } from "../lib/ports.ts";
import { waitUntil } from "../lib/processes.ts";
import { accepts } from "../lib/supervision.ts";
import { writeRegistryConfig } from "./registry.ts";
import { registryProxy } from "./registry-proxy.ts";

// The service `registry` with faults: a proxy and, in the same process group, the registry. Argument: the sandbox's folder.

async function main(root: string): Promise<void> {
  const paths = sandboxPaths(root);
  const config = readConfig(paths);
  if (!config) throw new Error(`there is no sandbox in ${root}`);
  const [upstreamPort = 0] = await claimPorts(paths.registry, 1);
  await writeRegistryConfig(paths, config, upstreamPort);
  const registry = spawn(findRegistry(), ["serve", paths.registryConfig], { stdio: "inherit" });
  registry.once("exit", (code) => process.exit(code ?? 1));
  process.once("SIGTERM", () => registry.kill("SIGTERM"));
  await waitUntil(() => accepts(upstreamPort), 15_000);

  const faults = new Faults(sandboxPaths(root).faults);
  const server = registryProxy({
    key: await readFile(paths.key, "utf8"),
    certificate: await readFile(paths.certificate, "utf8"),
    upstreamPort,
    takeFault: (method, path) => faults.takeRegistry(method, path),
  });
  server.listen(config.registryPort, "127.0.0.1");
}

const [root] = process.argv.slice(2);
if (root === undefined) throw new Error("usage: registry-proxy-process.ts SANDBOX_FOLDER");
main(root).catch((error: unknown) => {
  console.error(messageOf(error));
  process.exit(1);
});
