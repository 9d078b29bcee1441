import { accessSync } from "node:fs";
import { dockerConfigFile } from "../../../components/images/docker/config.ts";
import { dockerLogin } from "../../../components/images/docker/login.ts";

/** A registry, and who logs in there; "" for nobody. */
export interface RegistryAuth {
  /** Host and port. */
  address: string;
  username: string;
  password: string;
}

/**
 * The login that the Docker configuration has for a registry: that of a credential helper where one is named, else
 * the file's own.
 *
 * @throws when there is no such file, or when the helper is missing or fails
 */
export async function configuredLogin(
  address: string,
  environment: NodeJS.ProcessEnv,
): Promise<RegistryAuth> {
  assertConfig(dockerConfigFile(environment));
  const login = dockerLogin(address, environment);
  if (login.kind === "none") return nobody(address);
  if (login.kind === "stored") return { address, ...login.credentials };
  if (login.kind === "missing helper")
    throw helperError(`exec: "${login.helper}": executable file not found in $PATH`, "");
  const answer = await login.ask();
  if (answer.kind === "login") return { address, ...answer.credentials };
  if (answer.kind === "failure") throw helperError(`exit status ${answer.code}`, answer.said);
  return nobody(address);
}

const nobody = (address: string): RegistryAuth => ({ address, username: "", password: "" });

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
