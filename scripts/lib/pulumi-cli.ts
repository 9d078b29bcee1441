import * as path from "node:path";
import { execa } from "execa";

const root = path.resolve(import.meta.dirname, "../..");

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
