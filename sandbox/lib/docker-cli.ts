import { dirname } from "node:path";
import { findCommands } from "./files.ts";
import { run } from "./run-command.ts";

/** A `docker` command. */
export interface DockerCli {
  path: string;
  version: string;
  /** Whether `docker build` of this command can use BuildKit. */
  buildKit: boolean;
}

/**
 * The `docker` command to use: the first on PATH that can build with BuildKit, else the first that runs at all.
 * `skip` is the sandbox's own folder of wrappers.
 */
export async function findDockerCli(skip: string): Promise<DockerCli | undefined> {
  const candidates: DockerCli[] = [];
  for (const path of findCommands("docker").filter((found) => dirname(found) !== skip)) {
    const cli = await inspect(path);
    if (cli?.buildKit) return cli;
    if (cli) candidates.push(cli);
  }
  return candidates[0];
}

async function inspect(path: string): Promise<DockerCli | undefined> {
  const shown = await run(path, ["--version"]);
  const version = /version (\S+?),/.exec(shown.stdout)?.[1];
  if (!shown.ok || version === undefined) return undefined;
  if (buildKitInside(version)) return { path, version, buildKit: true };
  const buildx = await run(path, ["buildx", "version"]);
  return { path, version, buildKit: buildx.ok };
}

/** From 23 on, the BuildKit client is a plugin (buildx); from 18.09 to 20.10 it is in the command itself. */
export function buildKitInside(version: string): boolean {
  const major = Number(version.split(".")[0]);
  return major >= 19 && major < 23;
}
