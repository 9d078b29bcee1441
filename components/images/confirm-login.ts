import * as pulumi from "@pulumi/pulumi";
import { messageOf } from "../../problems/wording.ts";
import { type Problem, problemsError } from "../../problems/problem.ts";
import { dockerConfigFile } from "./docker/config.ts";
import { dockerLogin, type HelperAnswer, registryHost } from "./docker/login.ts";

/**
 * Asks for a credential helper where one is configured: without it the docker plugin does not start, at preview neither.
 * @returns the URL as it came, so that the plugin waits for the answer.
 */
export function requireHelper(registryUrl: string): string {
  const host = registryHost(registryUrl);
  const login = configuredLogin(host);
  if (login.kind === "missing helper") throw problemsError([missingHelper(host, login.helper)], SO_FAR);
  return registryUrl;
}

/**
 * Asks for a login at the registry before anything is built: a warning at preview, an error at up.
 * @returns the URL as it came, so that whatever pushes there waits for the answer.
 */
export async function confirmLogin(registryUrl: string): Promise<string> {
  const problem = await loginProblem(registryHost(registryUrl));
  if (problem === undefined) return registryUrl;
  const error = problemsError([problem], SO_FAR);
  if (!pulumi.runtime.isDryRun()) throw error;
  void pulumi.log.warn(error.message);
  return registryUrl;
}

// The URL is known only once there is a repository, which this up may have made.
const SO_FAR = "nothing was pushed";

const GCLOUD = "docker-credential-gcloud";

const SHORTCOMINGS: Record<Exclude<HelperAnswer["kind"], "login">, string> = {
  "no login": "knows no login at",
  failure: "fails when it is asked for the login at",
  "too slow": "did not answer in time when it was asked for the login at",
};

async function loginProblem(host: string): Promise<Problem | undefined> {
  const login = configuredLogin(host);
  if (login.kind === "stored") return undefined;
  if (login.kind === "missing helper") return missingHelper(host, login.helper);
  const fix = configure(host);
  if (login.kind !== "helper") {
    return {
      where: dockerConfigFile(process.env),
      found: login.kind === "none" ? `no credentials for ${host}` : login.found,
      allowed: "a credential helper or a login for the registry that images are pushed to",
      fix: login.kind === "none" ? fix : `fix the file, or move it away and: ${fix}`,
    };
  }
  const { kind } = await login.ask();
  if (kind === "login") return undefined;
  return {
    where: dockerConfigFile(process.env),
    found: `the credential helper ${login.helper}, which ${SHORTCOMINGS[kind]} ${host}`,
    allowed: "a credential helper that has a login for the registry that images are pushed to",
    fix: login.helper === GCLOUD ? "gcloud auth login" : fix,
  };
}

/** How Docker would log in; what is wrong with its configuration where it cannot be read. */
function configuredLogin(host: string): ReturnType<typeof dockerLogin> | { kind: "broken"; found: string } {
  try {
    return dockerLogin(host, process.env);
  } catch (error) {
    return { kind: "broken", found: messageOf(error) };
  }
}

function missingHelper(host: string, helper: string): Problem {
  return {
    where: dockerConfigFile(process.env),
    found: `the credential helper ${helper} for ${host}, which is not on the PATH`,
    allowed: "a credential helper that can be run",
    fix:
      helper === GCLOUD
        ? "install the Google Cloud CLI (https://cloud.google.com/sdk/docs/install), or put it on the PATH"
        : configure(host),
  };
}

const configure = (host: string): string => `gcloud auth configure-docker ${host}`;
