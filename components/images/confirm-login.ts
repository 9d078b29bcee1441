import * as pulumi from "@pulumi/pulumi";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { type Problem, problemsError } from "../../problems/problem.ts";
import { dockerConfigFile, dockerLogin } from "./docker-login.ts";

/**
 * Asks for a login at the registry before anything is pushed: a warning at preview, an error at up. A credential helper
 * that is not there is an error at both: the docker plugin does not start without it.
 * @returns the URL as it came, so that whatever pushes there waits for the answer.
 */
export function requireCredentials(registryUrl: string): string {
  const problem = loginProblem(dockerConfigFile(process.env), registryHost(registryUrl));
  if (problem === undefined) return registryUrl;
  // The URL is known only once there is a repository, which this up may have made.
  const error = problemsError([problem], "nothing was pushed");
  if (!pulumi.runtime.isDryRun() || problem.endsPreview) throw error;
  void pulumi.log.warn(error.message);
  return registryUrl;
}

/** The host, with its port, of a registry's URL as Artifact Registry gives it (no scheme). */
export function registryHost(registryUrl: string): string {
  return registryUrl.replace(/\/.*/, "");
}

interface LoginProblem extends Problem {
  endsPreview?: true;
}

function loginProblem(file: string, host: string): LoginProblem | undefined {
  const fix = `gcloud auth configure-docker ${host}`;
  const allowed = "a credential helper or a login for the registry that images are pushed to";
  try {
    const login = dockerLogin(file, host);
    if (login.kind === "helper") return helperProblem(file, host, login.name);
    if (login.kind === "stored") return undefined;
    return { where: file, found: `no credentials for ${host}`, allowed, fix };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return { where: file, found, allowed, fix: `fix the file, or move it away and: ${fix}` };
  }
}

/** A helper that is not there. */
function helperProblem(file: string, host: string, name: string): LoginProblem | undefined {
  const helper = `docker-credential-${name}`;
  if (isOnPath(helper)) return undefined;
  return {
    where: file,
    found: `the credential helper ${helper} for ${host}, which is not on the PATH`,
    allowed: "a credential helper that can be run",
    fix:
      name === "gcloud"
        ? "install the Google Cloud CLI (https://cloud.google.com/sdk/docs/install), or put it on the PATH"
        : `gcloud auth configure-docker ${host}`,
    endsPreview: true,
  };
}

function isOnPath(program: string): boolean {
  const names = process.platform === "win32" ? [`${program}.exe`, `${program}.cmd`] : [program];
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return folders.some((folder) => names.some((name) => existsSync(path.join(folder, name))));
}
