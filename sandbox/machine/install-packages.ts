import { dirname } from "node:path";
import { findCommands } from "../lib/files.ts";
import type { EngineChoice } from "../lib/tools.ts";
import { type DockerCommand, findDockerCommand } from "../../components/images/docker/command.ts";
import { SandboxError } from "../lib/errors.ts";
import { aptInstall, aptKnows } from "./apt.ts";
import type { Progress } from "../lib/progress.ts";
import { installedRegistry, REGISTRY_PACKAGE } from "../lib/registry-program.ts";

/** What this machine lacks. */
export interface Missing {
  /** dockerd, for the sandbox's own engine. */
  engine: boolean;
  /** For an engine that was built here. */
  runc: boolean;
  /** For the bridge of the sandbox's own engine. */
  ip: boolean;
  iptables: boolean;
  docker: boolean;
  /** A `docker` command that can build with BuildKit. */
  buildKit: boolean;
  registry: boolean;
}

/** The Debian packages to install. Newer releases have separate packages for the `docker` command. */
export function packagesFor(missing: Missing, known: { dockerCli: boolean; buildx: boolean }): string[] {
  const packages = new Set<string>();
  if (missing.engine) packages.add("docker.io");
  if (missing.runc) packages.add("runc");
  if (missing.ip) packages.add("iproute2");
  if (missing.iptables) packages.add("iptables");
  if (missing.docker) packages.add(known.dockerCli ? "docker-cli" : "docker.io");
  if (missing.buildKit) packages.add(known.buildx ? "docker-buildx" : "docker.io");
  if (missing.registry) packages.add(REGISTRY_PACKAGE);
  return [...packages];
}

/** Installs missing Debian packages; returns the `docker` command to use. */
export async function ensurePackages(
  engine: EngineChoice,
  wrappers: string,
  progress: Progress,
): Promise<DockerCommand> {
  const find = () => findDockerCommand(findCommands("docker").filter((path) => dirname(path) !== wrappers));
  const cli = await find();
  const own = engine.kind === "own";
  const lacks = (command: string) => own && findCommands(command).length === 0;
  const missing: Missing = {
    engine: engine.current !== true && lacks("dockerd"),
    runc: engine.current === true && lacks("runc"),
    ip: lacks("ip"),
    iptables: lacks("iptables"),
    docker: cli === undefined,
    buildKit: cli?.buildKit !== true,
    registry: installedRegistry() === undefined,
  };
  if (!Object.values(missing).includes(true) && cli) return cli;

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

function purpose(missing: Missing): string {
  const parts = [
    (missing.engine || missing.runc) && "a Docker engine to build the images",
    missing.docker && "the docker command",
    missing.buildKit && !missing.docker && "a docker command that builds with BuildKit",
    missing.registry && "the registry (CNCF Distribution)",
    (missing.ip || missing.iptables) && "the engine's network",
  ];
  return parts.filter((part) => part !== false).join(", ");
}
