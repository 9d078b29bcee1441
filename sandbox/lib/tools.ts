import { readText, writeWhole } from "./files.ts";
import type { SandboxPaths } from "./paths.ts";
import type { DockerCommand } from "../../components/images/docker/command.ts";

/** A Pulumi CLI with the Node.js language host in its folder. */
export interface PulumiCli {
  path: string;
  version: string;
  source: "PATH" | "cache" | "downloaded" | "built";
}

/** The Docker engine of a sandbox: its own, or the user's. */
export interface EngineChoice {
  kind: "own" | "yours";
  /** `DOCKER_HOST`. */
  host: string;
  /** The sandbox's own engine is a current one, built here. */
  current?: true;
}

/** Programs that `up` found or installed. */
export interface Tools {
  pulumi: PulumiCli;
  docker: DockerCommand;
  engine: EngineChoice;
}

/** Undefined before the first `up`. */
export function readTools(paths: SandboxPaths): Tools | undefined {
  const text = readText(paths.tools);
  return text === undefined ? undefined : (JSON.parse(text) as Tools);
}

export async function writeTools(paths: SandboxPaths, tools: Tools): Promise<void> {
  await writeWhole(paths.tools, `${JSON.stringify(tools, null, 2)}\n`);
}
