import { runProgram } from "../programs.ts";

/** A `docker` command. */
export interface DockerCommand {
  path: string;
  /** Its own version, such as `28.2.2`; empty if unknown. */
  version: string;
  /** Whether `docker build` can use BuildKit. */
  buildKit: boolean;
}

/**
 * Chooses the `docker` command to use.
 * @param candidates in the order of preference.
 * @returns the first that can build with BuildKit, or else the first that runs.
 */
export async function findDockerCommand(candidates: readonly string[]): Promise<DockerCommand | undefined> {
  let first: DockerCommand | undefined;
  for (const candidate of candidates) {
    const command = await inspect(candidate);
    if (command?.buildKit === true) return command;
    first ??= command;
  }
  return first;
}

async function inspect(command: string): Promise<DockerCommand | undefined> {
  const { code, stdout } = await runProgram(command, ["--version"]);
  if (code !== 0) return undefined;
  const version = /version (\S+?),/.exec(stdout)?.[1] ?? "";
  const buildKit = buildKitInside(version) || (await runProgram(command, ["buildx", "version"])).code === 0;
  return { path: command, version, buildKit };
}

/** The BuildKit client is part of the command from 18.09 to 20.10. Since 23 it is a plugin (buildx). */
export function buildKitInside(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 23 && (major > 18 || (major === 18 && minor >= 9));
}
