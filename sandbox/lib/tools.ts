import { readText, writeWhole } from "./files.ts";
import type { PulumiCli } from "../machine/install-pulumi.ts";
import type { SandboxPaths } from "./paths.ts";
import type { DockerCli } from "./docker-cli.ts";

/** What a sandbox runs with: found or installed by `up`, read by the other words. */
export interface Tools {
  pulumi: PulumiCli;
  docker: DockerCli;
  /** The engine: whose it is, and its `DOCKER_HOST`. */
  engine: { kind: "own" | "yours"; host: string };
}

/** The tools of a sandbox that has been up; undefined before that. */
export function readTools(paths: SandboxPaths): Tools | undefined {
  const text = readText(paths.tools);
  return text === undefined ? undefined : (JSON.parse(text) as Tools);
}

/** Remembers the tools. */
export async function writeTools(paths: SandboxPaths, tools: Tools): Promise<void> {
  await writeWhole(paths.tools, `${JSON.stringify(tools, null, 2)}\n`);
}
