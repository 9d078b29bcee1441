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
 * Checks the credential helpers that the docker plugin needs to start. Warns of other broken helpers.
 * @returns the same URL, so that the plugin waits for the check.
 */
export async function requireHelper(registryUrl: string): Promise<string> {
  const host = registryHost(registryUrl);
  // The docker plugin does not start without the file.
  if (!existsSync(dockerConfigFile(process.env))) throw problemsError([noLogin(host)], UNCHANGED);
  // confirmLogin reports a configuration that cannot be read.
  const broken = await brokenHelpers(process.env).catch(() => []);
  const needed = broken.filter(({ isStore, hosts }) => isStore || hosts.includes(host));
  if (needed.length > 0)
    throw problemsError(
      needed.map((one) => brokenHelper(host, one)),
      UNCHANGED,
    );
  const [first, ...more] = broken.map((one) => brokenHelper(host, one));
  if (first !== undefined)
    void pulumi.log.warn(
      ["about logins at other registries:", ...problemBlocks([first, ...more])].join("\n\n"),
    );
  return registryUrl;
}

/**
 * Checks the login at the registry before anything is built. A missing login is a warning at preview and an error at
 * `up`.
 * @returns the same URL, so that pushes wait for the check.
 */
export async function confirmLogin(registryUrl: string): Promise<string> {
  const problem = await loginProblem(registryHost(registryUrl));
  if (problem === undefined) return registryUrl;
  const error = problemsError([problem], UNCHANGED);
  if (!pulumi.runtime.isDryRun()) throw error;
  void pulumi.log.warn(error.message);
  return registryUrl;
}

// This up may have created the repository, because only a repository has a URL.
const UNCHANGED = "nothing was pushed";

const GCLOUD = "docker-credential-gcloud";

const SHORTCOMINGS: Record<Exclude<HelperAnswer["kind"], "login">, string> = {
  "no login": "has no login for",
  failure: "fails for",
  "too slow": "did not answer in time for",
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

/** How Docker logs in, or why its configuration cannot be read. */
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
      ? "a credential helper that works, or none, because the docker plugin lists all logins when it starts"
      : "a credential helper that can be run",
    fix: helperFix(host, broken),
  };
}

const TROUBLES: Record<BrokenHelper["trouble"], string> = {
  missing: "which is not on the PATH",
  failure: "which fails to list them",
  "too slow": "which does not list them in time",
};

function helperFix(host: string, { helper, isStore, hosts }: BrokenHelper): string {
  if (helper === GCLOUD) return INSTALL_GCLOUD;
  if (isStore) return `remove "credsStore" from the file, or install ${helper}`;
  if (hosts.includes(host)) return configure(host);
  return `remove ${hosts.map((one) => JSON.stringify(one)).join(", ")} from "credHelpers"`;
}

const INSTALL_GCLOUD =
  "install the Google Cloud CLI (https://cloud.google.com/sdk/docs/install), or put it on the PATH";
const configure = (host: string): string => `gcloud auth configure-docker ${host}`;
