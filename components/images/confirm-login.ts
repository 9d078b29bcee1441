import * as pulumi from "@pulumi/pulumi";
import { type Problem, problemsError } from "../../problems/problem.ts";
import { dockerConfigFile } from "./docker/config.ts";
import { dockerLogin, type HelperAnswer, registryHost } from "./docker/login.ts";

/**
 * Asks for a login at the registry before anything is built: a warning at preview, an error at up.
 * @returns the URL as it came, so that whatever pushes there waits for the answer.
 */
export async function confirmLogin(registryUrl: string): Promise<string> {
  const problem = await loginProblem(registryHost(registryUrl), process.env);
  if (problem === undefined) return registryUrl;
  // The URL is known only once there is a repository, which this up may have made.
  const error = problemsError([problem], "nothing was pushed");
  if (!pulumi.runtime.isDryRun()) throw error;
  void pulumi.log.warn(error.message);
  return registryUrl;
}

async function loginProblem(host: string, environment: NodeJS.ProcessEnv): Promise<Problem | undefined> {
  const where = dockerConfigFile(environment);
  const fix = `gcloud auth configure-docker ${host}`;
  const allowed = "a credential helper or a login for the registry that images are pushed to";
  try {
    const login = dockerLogin(host, environment);
    if (login.kind === "stored") return undefined;
    if (login.kind === "none") return { where, found: `no credentials for ${host}`, allowed, fix };
    const { helper } = login;
    if (login.kind === "missing helper") {
      return {
        where,
        found: `the credential helper ${helper} for ${host}, which is not on the PATH`,
        allowed: "a credential helper that can be run",
        fix:
          helper === GCLOUD
            ? "install the Google Cloud CLI (https://cloud.google.com/sdk/docs/install), or put it on the PATH"
            : fix,
      };
    }
    const { kind } = await login.ask();
    if (kind === "login") return undefined;
    return {
      where,
      found: `the credential helper ${helper}, which ${SHORTCOMINGS[kind]} ${host}`,
      allowed: "a credential helper that has a login for the registry that images are pushed to",
      fix: helper === GCLOUD ? "gcloud auth login" : fix,
    };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return { where, found, allowed, fix: `fix the file, or move it away and: ${fix}` };
  }
}

const GCLOUD = "docker-credential-gcloud";

const SHORTCOMINGS: Record<Exclude<HelperAnswer["kind"], "login">, string> = {
  "no login": "knows no login at",
  failure: "fails when it is asked for the login at",
  "too slow": "did not answer in time when it was asked for the login at",
};
