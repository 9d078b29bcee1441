import { accessSync } from "node:fs";
import { dockerConfigFile } from "../../../components/images/docker/config.ts";
import { dockerLogin } from "../../../components/images/docker/login.ts";

/**
 * Checks the Docker configuration's login at a registry.
 *
 * @throws if the configuration does not exist, or its credential helper is missing or fails.
 */
export async function checkLogin(address: string, environment: NodeJS.ProcessEnv): Promise<void> {
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
