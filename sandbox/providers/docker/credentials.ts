import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { isRecord, type Properties, record, text } from "../rpc/values.ts";
import type { Docker } from "./cli.ts";
import { dockerConfigFile } from "../../../components/images/docker-login.ts";
import { hostOf, type RegistryAuth } from "./settings.ts";

export interface Credentials {
  username: string;
  password: string;
}

/**
 * The Docker CLI's own credentials for a registry, from a credential helper, a store or the file itself.
 *
 * @returns undefined when there are none: the registry is then asked anonymously
 */
export async function configuredCredentials(
  host: string,
  environment: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const config = await readConfig(environment);
  const helper = text(record(config, "credHelpers"), host) || text(config, "credsStore");
  if (helper !== "") {
    const kept = await askHelper(helper, host);
    if (kept) return kept;
  }
  const auths = record(config, "auths") ?? {};
  const entry = Object.entries(auths).find(([address]) => hostOf(address) === host)?.[1];
  const auth = isRecord(entry) ? text(entry, "auth") : "";
  const [, username, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, "base64").toString()) ?? [];
  return username !== undefined && password !== undefined ? { username, password } : undefined;
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
    const config = await readConfig(environment);
    const helpers = Object.entries(record(config, "credHelpers") ?? {}).filter(
      ([host]) => host !== auth.address,
    );
    const encoded = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
    const own = {
      ...config,
      credHelpers: Object.fromEntries(helpers),
      auths: { ...record(config, "auths"), [auth.address]: { auth: encoded } },
    };
    // A store would be asked before the entry above.
    delete (own as Properties)["credsStore"];
    await writeFile(join(folder, "config.json"), JSON.stringify(own), { mode: 0o600 });
    // The CLI looks for its plugins (buildx) and contexts beside that file.
    for (const beside of ["cli-plugins", "contexts"]) {
      await symlink(join(resolve(dirname(dockerConfigFile(environment))), beside), join(folder, beside));
    }
    return await action(docker.with({ DOCKER_CONFIG: folder }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readConfig(environment: NodeJS.ProcessEnv): Promise<Properties> {
  let content: string;
  try {
    content = await readFile(dockerConfigFile(environment), "utf8");
  } catch {
    return {};
  }
  const parsed: unknown = JSON.parse(content);
  return isRecord(parsed) ? parsed : {};
}

function askHelper(helper: string, host: string): Promise<Credentials | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, ["get"], { stdio: ["pipe", "pipe", "ignore"] });
    let answer = "";
    child.stdout.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    child.on("error", () => {
      reject(
        new Error(`error getting credentials for ${host}: docker-credential-${helper} is not on the PATH`),
      );
    });
    // A helper that ends before it has read the host is told so by its exit code.
    child.stdin.on("error", () => undefined);
    child.on("close", (code) => {
      if (code !== 0) {
        // Helpers print this, and nothing secret, when they have no entry.
        if (/credentials not found/i.test(answer)) resolve(undefined);
        else reject(new Error(`error getting credentials for ${host}: docker-credential-${helper} failed`));
        return;
      }
      const parsed: unknown = JSON.parse(answer);
      const found = isRecord(parsed) ? parsed : {};
      resolve({ username: text(found, "Username"), password: text(found, "Secret") });
    });
    child.stdin.end(host);
  });
}
