import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { problemsError } from "../problems";

const dockerConfig = z.object({
  auths: z.record(z.string(), z.unknown()).default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});

/**
 * Asks for a login at the registry before anything is pushed: a warning at preview, an error at up.
 * @returns the URL as it came, so that whatever pushes there waits for the answer.
 */
export function requireCredentials(registryUrl: string): string {
  const host = registryHost(registryUrl);
  const file = path.join(process.env["DOCKER_CONFIG"] ?? path.join(homedir(), ".docker"), "config.json");
  if (hasCredentials(file, host)) return registryUrl;
  const error = problemsError([
    {
      where: file,
      found: `no credentials for ${host}`,
      allowed: "a credential helper or a login for the registry that images are pushed to",
      mend: `gcloud auth configure-docker ${host}`,
    },
  ]);
  if (!pulumi.runtime.isDryRun()) throw error;
  void pulumi.log.warn(error.message);
  return registryUrl;
}

/** The host, with its port, of a registry's URL as Artifact Registry gives it (no scheme). */
export function registryHost(registryUrl: string): string {
  return registryUrl.replace(/\/.*/, "");
}

function hasCredentials(file: string, host: string): boolean {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return false;
  }
  const config = dockerConfig.safeParse(JSON.parse(text));
  if (!config.success) return false;
  const { auths, credHelpers, credsStore } = config.data;
  return host in auths || `https://${host}` in auths || host in credHelpers || credsStore !== undefined;
}
