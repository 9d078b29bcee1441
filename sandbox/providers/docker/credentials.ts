import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { isRecord, type Properties, record, text } from "../rpc/values.ts";
import type { Docker } from "./cli.ts";
import { dockerConfigFile } from "../../../components/images/docker-login.ts";

/** A registry, and who logs in there; "" for nobody. */
export interface RegistryAuth {
  /** Host and port. */
  address: string;
  username: string;
  password: string;
}

/** The host of an address that may be written as a URL. */
export function hostOf(address: string): string {
  return address.replace(/^https?:\/\//, "").split("/")[0] ?? "";
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
  const file = dockerConfigFile(environment);
  const config = parseConfig(await openConfig(file));
  const helper = text(record(config, "credHelpers"), address) || text(config, "credsStore");
  if (helper !== "") return { address, ...(await askHelper(helper, address, environment)) };
  const auths = record(config, "auths") ?? {};
  const entry = Object.entries(auths).find(([key]) => hostOf(key) === address)?.[1];
  const auth = isRecord(entry) ? text(entry, "auth") : "";
  const [, username = "", password = ""] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(auth, "base64").toString()) ?? [];
  return { address, username, password };
}

/**
 * Runs an action with a Docker CLI that has the given login; it passes through a private folder that is removed
 * afterwards, never through a command line.
 */
export async function withLogin<Result>(
  docker: Docker,
  auth: RegistryAuth,
  environment: NodeJS.ProcessEnv,
  action: (docker: Docker) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "hyperion-docker-"));
  try {
    const encoded = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
    const auths = auth.username === "" ? {} : { [auth.address]: { auth: encoded } };
    await writeFile(join(folder, "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
    // The CLI looks for its plugins (buildx) and contexts beside that file.
    for (const beside of ["cli-plugins", "contexts"]) {
      await symlink(join(resolve(dirname(dockerConfigFile(environment))), beside), join(folder, beside));
    }
    return await action(docker.with({ DOCKER_CONFIG: folder }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openConfig(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = code === "ENOENT" ? "no such file or directory" : String(error);
    throw new Error(
      `Error loading registry auth config: could not open config file from filePath: ${file}. Error: open ${file}: ${reason}`,
      { cause: error },
    );
  }
}

function parseConfig(content: string): Properties {
  const parsed: unknown = JSON.parse(content);
  return isRecord(parsed) ? parsed : {};
}

/** What a helper has for a registry; nobody where it has no entry. */
function askHelper(
  helper: string,
  host: string,
  env: NodeJS.ProcessEnv,
): Promise<{ username: string; password: string }> {
  const program = `docker-credential-${helper}`;
  return new Promise((resolve, reject) => {
    const refuse = (reason: string, said: string): void => {
      reject(
        new Error(
          "Error loading registry auth config: could not get auth config (the credentialhelper did not work or was " +
            `not found): error getting credentials - err: ${reason}, out: \`${said}\``,
        ),
      );
    };
    const child = spawn(program, ["get"], { env, stdio: ["pipe", "pipe", "ignore"] });
    let answer = "";
    child.stdout.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    child.on("error", () => {
      refuse(`exec: "${program}": executable file not found in $PATH`, "");
    });
    // A helper that ends before it has read the host is told so by its exit code.
    child.stdin.on("error", () => undefined);
    child.on("close", (code) => {
      if (code !== 0) {
        // Helpers print this, and nothing secret, when they have no entry.
        if (/credentials not found/i.test(answer)) resolve({ username: "", password: "" });
        else refuse(`exit status ${code ?? "unknown"}`, answer.trim());
        return;
      }
      const parsed: unknown = JSON.parse(answer);
      const found = isRecord(parsed) ? parsed : {};
      resolve({ username: text(found, "Username"), password: text(found, "Secret") });
    });
    child.stdin.end(host);
  });
}
