import { dirname } from "node:path";
import { findCommands } from "../lib/files.ts";
import type { EngineChoice } from "../lib/tools.ts";
import { type DockerCommand, findDockerCommand } from "../../components/images/docker/command.ts";
import { SandboxError } from "../lib/errors.ts";
import { aptInstall, aptKnows } from "./apt.ts";
import type { Progress } from "../lib/progress.ts";
import { installedRegistry, REGISTRY_PACKAGE } from "../lib/registry-program.ts";

/** What a machine can lack. `buildKit` is a `docker` command that builds with BuildKit. */
export type Lack = "engine" | "runc" | "ip" | "iptables" | "docker" | "buildKit" | "registry";

/** The Debian packages to install. Newer releases have separate packages for the `docker` command. */
export function packagesFor(
  missing: readonly Lack[],
  known: { dockerCli: boolean; buildx: boolean },
): string[] {
  const names: Record<Lack, string> = {
    engine: "docker.io",
    runc: "runc",
    ip: "iproute2",
    iptables: "iptables",
    docker: known.dockerCli ? "docker-cli" : "docker.io",
    buildKit: known.buildx ? "docker-buildx" : "docker.io",
    registry: REGISTRY_PACKAGE,
  };
  return [...new Set(missing.map((lack) => names[lack]))];
}

/** Installs missing Debian packages; returns the `docker` command to use. */
export async function ensurePackages(
  engine: EngineChoice,
  wrappers: string,
  progress: Progress,
): Promise<DockerCommand> {
  const find = () => findDockerCommand(findCommands("docker").filter((path) => dirname(path) !== wrappers));
  const cli = await find();
  const absent = (command: string) => engine.kind === "own" && findCommands(command).length === 0;
  const lacks: Record<Lack, boolean> = {
    engine: engine.current !== true && absent("dockerd"),
    // For an engine that was built here.
    runc: engine.current === true && absent("runc"),
    ip: absent("ip"),
    iptables: absent("iptables"),
    docker: cli === undefined,
    buildKit: cli?.buildKit !== true,
    registry: installedRegistry() === undefined,
  };
  const missing = (Object.keys(lacks) as Lack[]).filter((lack) => lacks[lack]);
  if (missing.length === 0 && cli) return cli;

  const known = { dockerCli: await aptKnows("docker-cli"), buildx: await aptKnows("docker-buildx") };
  await aptInstall(packagesFor(missing, known), purpose(missing), progress);
  const installed = await find();
  if (!installed)
    throw new SandboxError("the docker command is still missing: sudo apt-get install docker.io");
  if (!installed.buildKit)
    progress(
      `${installed.path} ${installed.version} cannot build with BuildKit; install docker-buildx if a build fails`,
    );
  return installed;
}

function purpose(missing: readonly Lack[]): string {
  const purposes: Record<Lack, string> = {
    engine: "a Docker engine to build the images",
    runc: "a Docker engine to build the images",
    docker: "the docker command",
    buildKit: missing.includes("docker")
      ? "the docker command"
      : "a docker command that builds with BuildKit",
    registry: "the registry (CNCF Distribution)",
    ip: "the engine's network",
    iptables: "the engine's network",
  };
  return [...new Set(missing.map((lack) => purposes[lack]))].join(", ");
}
