import { lstatSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { SandboxError } from "../../lib/errors.ts";
import { findCommands, systemPath, writeWhole } from "../../lib/files.ts";
import { type SandboxPaths, shortName } from "../../lib/paths.ts";
import { runningService, startService, stopService } from "../../lib/supervision.ts";
import { engineInfo } from "../../lib/engine-info.ts";
import { removeLeftovers } from "./leftovers.ts";
import { bridgeName, makeNetwork, removeNetwork } from "./network.ts";

// A socket's path has at most 107 bytes. The longest one below this folder is about `/containerd/containerd-debug.sock`.
const LONGEST_RUN_FOLDER = 68;

/** Folder of the engine's sockets: in the sandbox, or in the temporary folder if the path is too long. */
export function engineRunFolder(paths: SandboxPaths): string {
  const inside = join(paths.docker, "run");
  return Buffer.byteLength(inside) <= LONGEST_RUN_FOLDER && !/[,:\\]/.test(inside)
    ? inside
    : join(tmpdir(), `hyperion-${shortName(paths.root)}`);
}

/** Folder of images and containers. Mounts do not support commas and colons. */
function engineDataFolder(paths: SandboxPaths): string {
  return /[,:\\]/.test(paths.docker) ? join(engineRunFolder(paths), "data") : join(paths.docker, "data");
}

/** `DOCKER_HOST` of the sandbox's own engine. */
export function ownEngineHost(paths: SandboxPaths): string {
  return `unix://${join(engineRunFolder(paths), "docker.sock")}`;
}

/**
 * Starts the sandbox's own engine unless it answers. Needs root.
 * @param programs folder of the engine's programs. Default: the installed ones.
 * @returns whether the engine was started.
 */
export async function ensureOwnEngine(paths: SandboxPaths, programs?: string): Promise<boolean> {
  const host = ownEngineHost(paths);
  if (runningService(paths, "docker") && (await engineInfo(host))) return false;
  await stopOwnEngine(paths);

  const dockerd = programs === undefined ? findCommands("dockerd")[0] : join(programs, "dockerd");
  if (!dockerd) throw new SandboxError("dockerd is not installed: apt-get install docker.io");
  const run = engineRunFolder(paths);
  await makePrivateFolder(run);
  const subnets = await makeNetwork(paths);
  const name = `hyperion-${shortName(paths.root)}`;
  const configuration = join(paths.docker, "daemon.json");
  await writeWhole(
    configuration,
    `${JSON.stringify(
      {
        "data-root": engineDataFolder(paths),
        "exec-root": run,
        pidfile: join(run, "docker.pid"),
        hosts: [host],
        group: "root",
        bridge: bridgeName(paths),
        "default-address-pools": [{ base: subnets.pool, size: subnets.poolSize }],
        iptables: false,
        "ip-masq": false,
        "shutdown-timeout": 5,
        "live-restore": false,
        // Debian's runc does not support time namespaces.
        ...(programs !== undefined && { features: { "time-namespaces": false } }),
        // Sequential pushes upload a shared layer once; the second image mounts it.
        "max-concurrent-uploads": 1,
      },
      null,
      2,
    )}\n`,
  );
  await startService(paths, "docker", {
    command: dockerd,
    // Ignores the configuration of the machine's engine in /etc/docker.
    args: [
      ...["--config-file", configuration],
      ...["--containerd-namespace", name, "--containerd-plugins-namespace", `${name}-plugins`],
    ],
    env: {
      ...process.env,
      PATH: [programs, systemPath()].filter((folder) => folder !== undefined).join(delimiter),
      DOCKER_HOST: undefined,
      DOCKER_TMPDIR: undefined,
    },
    address: host,
    ready: async () => (await engineInfo(host, 2_000)) !== undefined,
    readyWithinMs: 60_000,
  });
  return true;
}

/** Stops the engine and its containers, and removes its mounts and network. */
export async function stopOwnEngine(paths: SandboxPaths): Promise<void> {
  await stopService(paths, "docker", 20_000);
  const run = engineRunFolder(paths);
  await removeLeftovers([paths.docker, run]);
  await removeNetwork(paths);
  await rm(run, { recursive: true, force: true });
}

async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw new SandboxError(`${folder} belongs to another user: remove it, and run this again`);
}
