import * as pulumi from "@pulumi/pulumi";
import { type Problem, problemsError } from "../problems";
import { dockerConfigFile, dockerLogin } from "./dockerLogin";

/**
 * Asks for a login at the registry before anything is pushed: a warning at preview, an error at up.
 * @returns the URL as it came, so that whatever pushes there waits for the answer.
 */
export function requireCredentials(registryUrl: string): string {
  const problem = loginProblem(dockerConfigFile(process.env), registryHost(registryUrl));
  if (problem === undefined) return registryUrl;
  // The URL is known only once there is a repository, which this up may have made.
  const error = problemsError([problem], "nothing was pushed");
  if (!pulumi.runtime.isDryRun()) throw error;
  void pulumi.log.warn(error.message);
  return registryUrl;
}

/** The host, with its port, of a registry's URL as Artifact Registry gives it (no scheme). */
export function registryHost(registryUrl: string): string {
  return registryUrl.replace(/\/.*/, "");
}

function loginProblem(file: string, host: string): Problem | undefined {
  const mend = `gcloud auth configure-docker ${host}`;
  const allowed = "a credential helper or a login for the registry that images are pushed to";
  try {
    const { kind } = dockerLogin(file, host);
    return kind === "none" ? { where: file, found: `no credentials for ${host}`, allowed, mend } : undefined;
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return { where: file, found, allowed, mend: `mend the file, or move it away and: ${mend}` };
  }
}
