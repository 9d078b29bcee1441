import { existsSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, problemBlocks, problemsError } from "../../problems/problem.ts";
import { messageOf, shownName } from "../../problems/wording.ts";
import { dockerConfigFile } from "./docker/config.ts";
import {
  type BrokenHelper,
  brokenHelpers,
  dockerLogin,
  type HelperAnswer,
  registryHost,
} from "./docker/login.ts";

/**
 * Asks for the credential helpers that the docker plugin needs to start, at preview too; warns of the others.
 * @returns the URL as it came, so that the plugin waits for the answer.
 */
export async function requireHelper(registryUrl: string): Promise<string> {
  const host = registryHost(registryUrl);
  // The docker plugin does not start without the file.
  if (!existsSync(dockerConfigFile(process.env))) throw problemsError([noLogin(host)], SO_FAR);
  // What is wrong with a configuration that cannot be read is reported where the login is asked for.
  const broken = await brokenHelpers(process.env).catch(() => []);
  const needed = broken.filter(({ isStore, hosts }) => isStore || hosts.includes(host));
  if (needed.length > 0)
    throw problemsError(
      needed.map((one) => brokenHelper(host, one)),
      SO_FAR,
    );
  const [first, ...more] = broken.map((one) => brokenHelper(host, one));
  if (first !== undefined)
    void pulumi.log.warn(
      ["about logins at other registries:", ...problemBlocks([first, ...more])].join("\n\n"),
    );
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
  if (login.kind === "missing helper")
    return brokenHelper(host, { helper: login.helper, isStore: false, hosts: [host], trouble: "missing" });
  const fix = configure(host);
  if (login.kind === "none") return noLogin(host);
  if (login.kind === "broken")
    return { ...noLogin(host), found: login.found, fix: `fix the file, or move it away and: ${fix}` };
  const { kind } = await login.ask();
  if (kind === "login") return undefined;
  return {
    where: dockerConfigFile(process.env),
    found: `the credential helper ${login.helper}, which ${SHORTCOMINGS[kind]} ${host}`,
    allowed: "a credential helper that has a login for the registry that images are pushed to",
    fix: login.helper === GCLOUD ? "gcloud auth login" : fix,
  };
}

function noLogin(host: string): Problem {
  return {
    where: dockerConfigFile(process.env),
    found: `no credentials for ${host}`,
    allowed: "a credential helper or a login for the registry that images are pushed to",
    fix: configure(host),
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

function brokenHelper(host: string, broken: BrokenHelper): Problem {
  const { helper, isStore, hosts, trouble } = broken;
  const reads = isStore ? "the logins of all registries" : hosts.map(shownName).join(", ");
  return {
    where: dockerConfigFile(process.env),
    found: `the credential helper ${helper} for ${reads}, ${TROUBLES[trouble]}`,
    allowed: isStore
      ? "a credential helper that works, or none: the docker plugin lists all logins at its start"
      : "a credential helper that can be run",
    fix: helperFix(host, broken),
  };
}

const TROUBLES: Record<BrokenHelper["trouble"], string> = {
  missing: "which is not on the PATH",
  failure: "which fails when the docker plugin has it list them",
  "too slow": "which does not list them in time",
};

function helperFix(host: string, { helper, isStore, hosts }: BrokenHelper): string {
  if (helper === GCLOUD) return INSTALL_GCLOUD;
  if (isStore) return `take "credsStore" out of the file, or install ${helper}`;
  if (hosts.includes(host)) return configure(host);
  return `take ${hosts.map((one) => JSON.stringify(one)).join(", ")} out of "credHelpers"`;
}

const INSTALL_GCLOUD =
  "install the Google Cloud CLI (https://cloud.google.com/sdk/docs/install), or put it on the PATH";
const configure = (host: string): string => `gcloud auth configure-docker ${host}`;
