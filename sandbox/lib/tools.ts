import { readText, writeWhole } from "./files.ts";
import type { SandboxPaths } from "./paths.ts";
import type { DockerCommand } from "../../components/images/docker/command.ts";

/** A Pulumi CLI that has the Node.js language host beside it. */
export interface PulumiCli {
  path: string;
  version: string;
  /** How it came here. */
  source: "PATH" | "cache" | "downloaded" | "built";
}

/** The engine that a sandbox builds with: whose it is, and its `DOCKER_HOST`. */
export interface EngineChoice {
  kind: "own" | "yours";
  host: string;
  /** The own one is a current one, which was built here. */
  current?: true;
}

/** What a sandbox runs with: found or installed by `up`, read by the other subcommands. */
export interface Tools {
  pulumi: PulumiCli;
  docker: DockerCommand;
  engine: EngineChoice;
}

/** The tools of a sandbox that has been up; undefined before that. */
export function readTools(paths: SandboxPaths): Tools | undefined {
  const text = readText(paths.tools);
  return text === undefined ? undefined : (JSON.parse(text) as Tools);
}

export async function writeTools(paths: SandboxPaths, tools: Tools): Promise<void> {
  await writeWhole(paths.tools, `${JSON.stringify(tools, null, 2)}\n`);
}
