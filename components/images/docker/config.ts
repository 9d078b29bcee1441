import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { fromJson } from "../../../problems/wording.ts";

/** A login in the configuration. All fields are empty if a helper stores the login. */
const storedLogin = z.looseObject({
  auth: z.string().nullish(),
  username: z.string().nullish(),
  password: z.string().nullish(),
  identitytoken: z.string().nullish(),
  registrytoken: z.string().nullish(),
});

const dockerConfig = z.looseObject({
  auths: z.record(z.string(), storedLogin).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});

export type StoredLogin = z.infer<typeof storedLogin>;
export type DockerConfig = z.infer<typeof dockerConfig>;

/** The user's home folder. */
export function homeFolder(environment: NodeJS.ProcessEnv): string {
  return environment["HOME"] || homedir();
}

/** Folder of the configuration for the docker command and the docker plugin. */
function dockerConfigFolder(environment: NodeJS.ProcessEnv): string {
  return environment["DOCKER_CONFIG"] || path.join(homeFolder(environment), ".docker");
}

export function dockerConfigFile(environment: NodeJS.ProcessEnv): string {
  return path.join(dockerConfigFolder(environment), "config.json");
}

/**
 * Reads the Docker configuration. A missing file counts as empty.
 * @throws if the file is invalid.
 */
export function readDockerConfig(environment: NodeJS.ProcessEnv): DockerConfig {
  const file = dockerConfigFile(environment);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return {};
  }
  const content = fromJson(text);
  if (content === undefined) throw new Error(`${file} is not JSON: Docker does not read it either`);
  const parsed = dockerConfig.safeParse(content);
  if (parsed.success) return parsed.data;
  const key = parsed.error.issues[0]?.path.join(".") ?? "";
  throw new Error(`${file} is not as Docker writes it${key === "" ? "" : ` (${key})`}`);
}
