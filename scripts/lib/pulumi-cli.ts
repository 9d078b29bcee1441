import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import { execa } from "execa";
import { NAMESPACE } from "../../problems/setting-commands.ts";
import { root } from "./folders.ts";

/**
 * Makes `pulumi` the verified CLI for this process and its children. Installs it first if it is missing.
 *
 * @throws the message of scripts/install-pulumi.sh.
 */
export async function useVerifiedPulumi(): Promise<void> {
  const print =
    'settings=$(scripts/install-pulumi.sh) && eval "$settings" && "$0" -p "JSON.stringify(process.env)"';
  const { stdout, failed, stderr } = await execa("bash", ["-c", print, process.execPath], {
    cwd: root,
    reject: false,
    stderr: ["pipe", "inherit"],
  });
  if (failed) throw new Error(stderr.trim().split("\n").at(-1));
  Object.assign(process.env, JSON.parse(stdout) as NodeJS.ProcessEnv);
}

/** Path of the verified CLI that scripts/install-pulumi.sh installs. No other CLI runs. */
export function verifiedCli(projectFolder: string, environment: NodeJS.ProcessEnv): string {
  const version = readFileSync(path.join(projectFolder, ".pulumi.version"), "utf8").trim();
  const home = environment["PULUMI_HOME"] ?? path.join(homedir(), `.${NAMESPACE}`);
  return environment["HYPERION_PULUMI"] ?? path.join(home, "versions", version, "bin", "pulumi");
}
