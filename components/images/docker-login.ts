import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";

interface DockerConfig {
  auths?: Partial<Record<string, object>>;
  credHelpers?: Partial<Record<string, string>>;
  credsStore?: string;
}

/** How Docker would log in at a registry. */
export type DockerLogin =
  /** By a program `docker-credential-<name>`, which may or may not know the registry. */
  | { kind: "helper"; name: string }
  /** By a login that `docker login` left in the configuration. */
  | { kind: "stored" }
  | { kind: "none" };

/** The Docker configuration that the docker command reads. */
export function dockerConfigFile(environment: NodeJS.ProcessEnv): string {
  return path.join(environment["DOCKER_CONFIG"] ?? path.join(homedir(), ".docker"), "config.json");
}

/**
 * How Docker would log in at a registry, by its configuration; a missing file is an empty one.
 * @param host the registry's host, with its port.
 * @throws when the file is not JSON.
 */
export function dockerLogin(file: string, host: string): DockerLogin {
  let config: DockerConfig;
  try {
    config = JSON.parse(readFileSync(file, "utf8")) as DockerConfig;
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new Error(`${file} is not JSON: ${error.message}`, { cause: error });
    return { kind: "none" };
  }
  // The order of Docker itself: a helper for the host, then the store for all, then the file.
  const name = config.credHelpers?.[host] ?? config.credsStore;
  if (name !== undefined && name !== "") return { kind: "helper", name };
  const stored = config.auths?.[host] ?? config.auths?.[`https://${host}`];
  return stored !== undefined && Object.keys(stored).length > 0 ? { kind: "stored" } : { kind: "none" };
}
