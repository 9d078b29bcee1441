import { accessSync } from "node:fs";
import { dockerConfigFile } from "../../../components/images/docker/config.ts";
import { dockerLogin, registryHost } from "../../../components/images/docker/login.ts";
import { setting } from "../rpc/provider.ts";
import { type Failure, unsupported } from "../rpc/shape.ts";
import { isRecord, type Properties, text, unknownValue } from "../rpc/values.ts";

const supported = new Set(["host", "registryAuth", "version", "pluginDownloadURL"]);
const supportedAuth = new Set(["address"]);

/** Refuses unsupported settings. */
export function checkSettings(settings: Properties): Failure[] {
  const refuse = (property: string, names: Set<string>): Failure => ({
    property,
    reason: unsupported("docker", `provider setting "${property}"`, names),
  });
  const top = Object.keys(settings).filter((name) => !supported.has(name));
  const nested = registryAuth(settings).flatMap((entry) =>
    Object.keys(entry).filter((name) => !supportedAuth.has(name)),
  );
  return [
    ...top.map((name) => refuse(name, supported)),
    ...nested.map((name) => refuse(`registryAuth.${name}`, supportedAuth)),
  ];
}

/**
 * The engine's address in the settings or the environment; may be empty. As the real plugin does, checks all logins.
 *
 * @throws if the Docker configuration does not exist, or a credential helper does not work.
 */
export async function engineHost(settings: Properties, environment: NodeJS.ProcessEnv): Promise<string> {
  const hosts = registryAuth(settings).map((entry) => registryHost(text(entry, "address")));
  await Promise.all(hosts.map((host) => checkLogin(host, environment)));
  return text(settings, "host") || (environment["DOCKER_HOST"] ?? "");
}

function registryAuth(settings: Properties): Properties[] {
  const value = setting(settings, "registryAuth");
  if (value === undefined || value === unknownValue || value === null) return [];
  return (Array.isArray(value) ? value : [value]).filter(isRecord);
}

/**
 * Checks the Docker configuration's login at a registry.
 *
 * @throws if the configuration does not exist, or its credential helper is missing or fails.
 */
async function checkLogin(address: string, environment: NodeJS.ProcessEnv): Promise<void> {
  assertConfig(dockerConfigFile(environment));
  const login = dockerLogin(address, environment);
  if (login.kind === "missing helper")
    throw helperError(`exec: "${login.helper}": executable file not found in $PATH`, "");
  if (login.kind === "none" || login.kind === "stored") return;
  const answer = await login.ask();
  if (answer.kind === "failure") throw helperError(`exit status ${answer.code}`, answer.said);
}

function assertConfig(file: string): void {
  try {
    accessSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = code === "ENOENT" ? "no such file or directory" : String(error);
    throw new Error(
      `Error loading registry auth config: could not open config file from filePath: ${file}. Error: open ${file}: ${reason}`,
      { cause: error },
    );
  }
}

function helperError(reason: string, said: string): Error {
  return new Error(
    "Error loading registry auth config: could not get auth config (the credentialhelper did not work or was " +
      `not found): error getting credentials - err: ${reason}, out: \`${said}\``,
  );
}
