import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { dockerConfigFolder, readDockerConfig } from "../../../components/images/docker/config.ts";
import { type Credentials, dockerLogin } from "../../../components/images/docker/login.ts";
import type { Docker } from "./cli.ts";
import type { RegistryAuth } from "./settings.ts";

/**
 * The Docker CLI's own credentials for a registry, from a credential helper, a store or the file itself.
 *
 * @returns undefined when there are none: the registry is then asked anonymously
 */
export async function configuredCredentials(
  host: string,
  environment: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const login = dockerLogin(host, environment);
  if (login.kind === "none") return undefined;
  if (login.kind === "stored") return login.credentials;
  const failed = `error getting credentials for ${host}: ${login.helper}`;
  if (login.kind === "missing helper") throw new Error(`${failed} is not on the PATH`);
  const answer = await login.ask();
  if (answer.kind === "login") return answer.credentials;
  if (answer.kind === "no login") return undefined;
  throw new Error(`${failed} failed`);
}

/**
 * Runs an action with a Docker CLI that has the given credentials; they pass through a private folder
 * that is removed afterwards, never through a command line.
 */
export async function withCredentials<Result>(
  docker: Docker,
  auth: RegistryAuth | undefined,
  environment: NodeJS.ProcessEnv,
  action: (docker: Docker) => Promise<Result>,
): Promise<Result> {
  if (auth === undefined || auth.username === "" || auth.password === "") return action(docker);
  const folder = await mkdtemp(join(tmpdir(), "hyperion-docker-"));
  try {
    const config = readDockerConfig(environment);
    const helpers = Object.entries(config.credHelpers ?? {}).filter(([host]) => host !== auth.address);
    const encoded = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
    const own = {
      ...config,
      credHelpers: Object.fromEntries(helpers),
      auths: { ...config.auths, [auth.address]: { auth: encoded } },
      // A store would be asked before the entry above.
      credsStore: undefined,
    };
    await writeFile(join(folder, "config.json"), JSON.stringify(own), { mode: 0o600 });
    // The CLI looks for its plugins (buildx) and contexts beside that file.
    for (const beside of ["cli-plugins", "contexts"]) {
      await symlink(join(resolve(dockerConfigFolder(environment)), beside), join(folder, beside));
    }
    return await action(docker.with({ DOCKER_CONFIG: folder }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
