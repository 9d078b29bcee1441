import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { RepositoryPlace } from "../google/full-names.ts";
import { StackSettings } from "./stack-settings.ts";
import { NAMESPACE, settingKey } from "../problems/setting-commands.ts";

/** The stack if none is selected. */
const FALLBACK_STACK = "production";

/** Pulumi may have to read a remote backend. */
const TIMEOUT_MS = 20_000;

/** Output of `pulumi config --json` (3.259), which includes the defaults of Pulumi.yaml. */
const pulumiConfig = z.object({
  "gcp:project": z.object({ value: z.string() }),
  "gcp:region": z.object({ value: z.string() }),
  [settingKey("repositoryId")]: z.object({ value: z.string() }),
});

/**
 * Finds the repository of a stack: from Pulumi, or, without Pulumi or access to the state, from `Pulumi.<stack>.yaml`.
 *
 * @param stack default: the selected stack, or production if none is selected.
 * @throws if neither has the stack.
 */
export async function stackPlace(
  projectFolder: string,
  stack: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<RepositoryPlace> {
  const known = await askPulumi(projectFolder, stack, environment);
  if (known !== undefined) return known;
  const settings = new StackSettings(projectFolder, stack ?? FALLBACK_STACK);
  return {
    project: settings.text("gcp:project"),
    location: settings.text("gcp:region"),
    repositoryId: settings.text("repositoryId"),
  };
}

async function askPulumi(
  projectFolder: string,
  stack: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<RepositoryPlace | undefined> {
  const args = ["config", "--json", "--non-interactive", ...(stack === undefined ? [] : ["--stack", stack])];
  try {
    const options = { cwd: projectFolder, env: environment, timeout: TIMEOUT_MS };
    const { stdout } = await promisify(execFile)(verifiedCli(projectFolder, environment), args, options);
    const config = pulumiConfig.parse(JSON.parse(stdout));
    return {
      project: config["gcp:project"].value,
      location: config["gcp:region"].value,
      repositoryId: config[settingKey("repositoryId")].value,
    };
  } catch {
    return undefined;
  }
}

/** Path of the verified CLI that scripts/install-pulumi.sh installs. No other CLI runs. */
export function verifiedCli(projectFolder: string, environment: NodeJS.ProcessEnv): string {
  const version = readFileSync(path.join(projectFolder, ".pulumi.version"), "utf8").trim();
  const home = environment["PULUMI_HOME"] ?? path.join(homedir(), `.${NAMESPACE}`);
  return environment["HYPERION_PULUMI"] ?? path.join(home, "versions", version, "bin", "pulumi");
}
