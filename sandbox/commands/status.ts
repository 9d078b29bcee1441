import type { SandboxPaths } from "../lib/paths.ts";
import { sandboxPaths } from "../lib/paths.ts";
import { type PluginChoice, pluginsServing } from "../providers/install.ts";
import { readConfig } from "../lib/config.ts";
import { engineInfo } from "../lib/engine-info.ts";
import { accepts, readRecord, type ServiceName } from "../lib/supervision.ts";
import { isAlive } from "../lib/processes.ts";
import { readTools, type Tools } from "../lib/tools.ts";

interface ServiceStatus {
  service: string;
  state: "running" | "silent" | "stopped";
  where?: string;
  pid?: number;
  /** ISO 8601. */
  since?: string;
}

export interface SandboxStatus {
  folder: string;
  services: ServiceStatus[];
  plugins: PluginChoice[];
  pulumi?: Tools["pulumi"];
}

export async function readStatus(paths: SandboxPaths = sandboxPaths()): Promise<SandboxStatus> {
  const config = readConfig(paths);
  const tools = readTools(paths);
  const services = await Promise.all([
    ownService(paths, "emulator", "Google APIs", () => accepts(config?.emulatorPort ?? 0)),
    ownService(paths, "registry", "Registry", () => accepts(config?.registryPort ?? 0)),
    tools?.engine.kind === "yours"
      ? usersEngine(tools.engine.host)
      : ownService(paths, "docker", "Docker engine", async () =>
          tools ? (await engineInfo(tools.engine.host)) !== undefined : false,
        ),
  ]);
  return {
    folder: paths.root,
    services,
    plugins: pluginsServing(paths.pulumiHome),
    ...(tools && { pulumi: tools.pulumi }),
  };
}

async function ownService(
  paths: SandboxPaths,
  name: ServiceName,
  service: string,
  answers: () => Promise<boolean>,
): Promise<ServiceStatus> {
  const record = readRecord(paths, name);
  if (!record || !isAlive(record)) return { service, state: "stopped" };
  const state = (await answers()) ? "running" : "silent";
  return { service, state, where: record.address, pid: record.pid, since: record.startedAt };
}

async function usersEngine(host: string): Promise<ServiceStatus> {
  const answers = (await engineInfo(host)) !== undefined;
  return { service: "Docker engine (yours)", state: answers ? "running" : "silent", where: host };
}

export async function statusTable(status: SandboxStatus): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    head: ["service", "state", "where", "process", "since"],
    style: { head: [], border: [] },
  });
  for (const { service, state, where, pid, since } of status.services)
    table.push([service, state, where ?? "", pid === undefined ? "" : String(pid), localTime(since)]);
  for (const { name, version, kind } of status.plugins)
    table.push([`Plugin ${name} ${version}`, kind === "none" ? "missing" : kind, "", "", ""]);
  const { pulumi } = status;
  if (pulumi) table.push([`Pulumi CLI ${pulumi.version}`, "", pulumi.path, "", ""]);
  const stopped = status.services.some((service) => service.state !== "running");
  return [
    table.toString(),
    `Files: ${status.folder}`,
    ...(stopped ? ["Some services do not run. Start them: npm run sandbox"] : []),
  ].join("\n");
}

function localTime(iso: string | undefined): string {
  return iso === undefined ? "" : new Date(iso).toLocaleString("sv-SE");
}
