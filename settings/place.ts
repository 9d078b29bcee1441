import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { StackSettings } from "./stack-settings.ts";
import { NAMESPACE, settingKey } from "../problems/setting-commands.ts";

/** Where a repository is. */
export interface Place {
  project: string;
  location: string;
  repositoryId: string;
}

/** The stack of those who have selected none. */
const FALLBACK_STACK = "production";

/** Longest wait for Pulumi, which may ask a backend far away. */
const TIMEOUT_MS = 20_000;

/** What `pulumi config --json` prints, the defaults of Pulumi.yaml included; taken from Pulumi 3.259. */
const pulumiConfig = z.object({
  "gcp:project": z.object({ value: z.string() }),
  "gcp:region": z.object({ value: z.string() }),
  [settingKey("repositoryId")]: z.object({ value: z.string() }),
});

/**
 * Where the repository of a stack is: as Pulumi knows the stack, else, for those without Pulumi or
 * access to its state, as `Pulumi.<stack>.yaml` says.
 *
 * @param stack default: the selected one, else production.
 * @throws when neither knows the stack.
 */
export async function stackPlace(
  projectFolder: string,
  stack: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<Place> {
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
): Promise<Place | undefined> {
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

/** The verified CLI, where scripts/install-pulumi.sh puts it; no other is asked. */
export function verifiedCli(projectFolder: string, environment: NodeJS.ProcessEnv): string {
  const version = readFileSync(path.join(projectFolder, ".pulumi.version"), "utf8").trim();
  const home = environment["PULUMI_HOME"] ?? path.join(homedir(), `.${NAMESPACE}`);
  return environment["HYPERION_PULUMI"] ?? path.join(home, "versions", version, "bin", "pulumi");
}
