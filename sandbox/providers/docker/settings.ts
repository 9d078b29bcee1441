import { readFile } from "node:fs/promises";
import { dockerConfigFile } from "../../../components/images/docker/config.ts";
import { registryHost } from "../../../components/images/docker/login.ts";
import { setting } from "../rpc/provider.ts";
import type { Failure } from "../rpc/shape.ts";
import { isRecord, type Properties, text, unknownValue } from "../rpc/values.ts";

/** Credentials of a registry. Without a name they come from the Docker configuration. */
export interface RegistryAuth {
  /** Host and port. */
  address: string;
  username: string;
  password: string;
}

export interface Settings {
  /** The engine; "" where nothing says which. */
  host: string;
  registries: RegistryAuth[];
}

const supported = new Set(["host", "registryAuth", "version", "pluginDownloadURL"]);
const supportedAuth = new Set(["address", "username", "password"]);

/** Every setting that the fake provider would otherwise silently ignore. */
export function checkSettings(settings: Properties): Failure[] {
  const refuse = (property: string, names: Set<string>): Failure => ({
    property,
    reason:
      `the sandbox's fake provider for the docker plugin does not support the provider setting "${property}" ` +
      `(supported: ${[...names].sort().join(", ")}); the real docker plugin does`,
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
 * @throws when a registry's credentials are to come from a Docker configuration that does not exist
 */
export async function readSettings(settings: Properties, environment: NodeJS.ProcessEnv): Promise<Settings> {
  const registries = registryAuth(settings).map((entry) => ({
    address: registryHost(text(entry, "address")),
    username: text(entry, "username"),
    password: text(entry, "password"),
  }));
  if (registries.some(({ username }) => username === "")) {
    const file = dockerConfigFile(environment);
    try {
      await readFile(file);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      const reason = code === "ENOENT" ? "no such file or directory" : String(error);
      throw new Error(
        `Error loading registry auth config: could not open config file from filePath: ${file}. Error: open ${file}: ${reason}`,
        { cause: error },
      );
    }
  }
  return { host: text(settings, "host") || (environment["DOCKER_HOST"] ?? ""), registries };
}

function registryAuth(settings: Properties): Properties[] {
  const value = setting(settings, "registryAuth");
  if (value === undefined || value === unknownValue || value === null) return [];
  return (Array.isArray(value) ? value : [value]).filter(isRecord);
}
