import { setting } from "../rpc/provider.ts";
import { type Failure, unsupported } from "../rpc/shape.ts";
import { isRecord, type Properties, text, unknownValue } from "../rpc/values.ts";
import { registryHost } from "../../../components/images/docker/login.ts";
import { checkLogin } from "./credentials.ts";

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
