import { setting } from "../rpc/provider.ts";
import { type Failure, unsupported } from "../rpc/shape.ts";
import { isRecord, type Properties, text, unknownValue } from "../rpc/values.ts";
import { registryHost } from "../../../components/images/docker/login.ts";
import { configuredLogin, type RegistryAuth } from "./credentials.ts";

export interface Settings {
  /** The engine; "" where nothing says which. */
  host: string;
  registries: RegistryAuth[];
}

const supported = new Set(["host", "registryAuth", "version", "pluginDownloadURL"]);
const supportedAuth = new Set(["address"]);

/** Every setting that the fake provider would otherwise silently ignore. */
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
 * The provider's settings, with the logins of the Docker configuration: as the real plugin, it asks for them once,
 * when it is configured.
 *
 * @throws when there is no Docker configuration, or when a credential helper that it names does not work
 */
export async function readSettings(settings: Properties, environment: NodeJS.ProcessEnv): Promise<Settings> {
  const registries = await Promise.all(
    registryAuth(settings).map((entry) => configuredLogin(registryHost(text(entry, "address")), environment)),
  );
  return { host: text(settings, "host") || (environment["DOCKER_HOST"] ?? ""), registries };
}

function registryAuth(settings: Properties): Properties[] {
  const value = setting(settings, "registryAuth");
  if (value === undefined || value === unknownValue || value === null) return [];
  return (Array.isArray(value) ? value : [value]).filter(isRecord);
}
