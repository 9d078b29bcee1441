import { z } from "zod";
import { fromJson } from "../../../problems/wording.ts";
import { commandsOnPath, runProgram } from "../programs.ts";
import type { Credentials } from "../registry/image-registry.ts";
import { readDockerConfig, type StoredLogin } from "./config.ts";

/** Some helpers wait for a person to enter a password. */
const HELPER_MS = 30_000;

/** How Docker logs in at a registry. */
export type DockerLogin =
  /** No login and no helper. */
  | { kind: "none" }
  /** A login of `docker login` in the configuration. */
  | { kind: "stored"; credentials: Credentials }
  /** A helper, which runs when the caller calls `ask`. */
  | { kind: "helper"; helper: string; ask: () => Promise<HelperAnswer> }
  /** A helper that is not installed. */
  | { kind: "missing helper"; helper: string };

/** The answer of a credential helper. */
export type HelperAnswer =
  | { kind: "login"; credentials: Credentials }
  | { kind: "no login" | "too slow" }
  /** `said` is its output. Do not log it, because it can contain anything. */
  | { kind: "failure"; code: number; said: string };

/**
 * Finds out how Docker logs in at a registry. Docker tries the helper for the host, then the credential store, then the
 * file (docker/cli, `cli/config/configfile`).
 * @param host the registry's host, with its port.
 * @throws if the configuration is invalid.
 */
export function dockerLogin(host: string, environment: NodeJS.ProcessEnv): DockerLogin {
  const config = readDockerConfig(environment);
  const name = config.credHelpers?.[host] ?? config.credsStore ?? "";
  if (name === "") return storedLogin(config.auths ?? {}, host);
  const helper = `docker-credential-${name}`;
  const [program] = commandsOnPath(helper, environment["PATH"]);
  if (program === undefined) return { kind: "missing helper", helper };
  return { kind: "helper", helper, ask: () => askHelper(program, host, environment) };
}

/** A configured helper that the docker plugin cannot use. */
export interface BrokenHelper {
  helper: string;
  /** Whether it is the store. The plugin lists the logins of the store when it starts, and does not start without it. */
  isStore: boolean;
  /** Registries that use it. */
  hosts: string[];
  trouble: "missing" | "failure" | "too slow";
}

/**
 * Finds the helpers that the docker plugin cannot use. It reads the logins of all registries, not only of the one that
 * it pushes to (docker/cli, `ConfigFile.GetAllCredentials`).
 * @throws if the configuration is invalid.
 */
export async function brokenHelpers(environment: NodeJS.ProcessEnv): Promise<BrokenHelper[]> {
  const { credsStore: store, credHelpers } = readDockerConfig(environment);
  const byName = Map.groupBy(
    Object.entries(credHelpers ?? {}).filter(([, name]) => name !== ""),
    ([, name]) => name,
  );
  const names = new Set([...(store ? [store] : []), ...byName.keys()]);
  const checked = [...names].map(async (name) => {
    const helper = `docker-credential-${name}`;
    const trouble = await helperTrouble(helper, name === store, environment);
    const hosts = (byName.get(name) ?? []).map(([host]) => host);
    return trouble === undefined ? [] : [{ helper, isStore: name === store, hosts, trouble }];
  });
  return (await Promise.all(checked)).flat();
}

async function helperTrouble(
  helper: string,
  list: boolean,
  environment: NodeJS.ProcessEnv,
): Promise<BrokenHelper["trouble"] | undefined> {
  const [program] = commandsOnPath(helper, environment["PATH"]);
  if (program === undefined) return "missing";
  if (!list) return undefined;
  const options = { milliseconds: HELPER_MS, environment };
  const { code, stdout, trouble } = await runProgram(program, ["list"], options);
  if (trouble !== undefined) return trouble;
  return code === 0 && z.record(z.string(), z.string()).safeParse(fromJson(stdout)).success
    ? undefined
    : "failure";
}

/** The host of a registry's address, which can be a URL. Does the same as docker/cli's `ConvertToHostname`. */
export function registryHost(address: string): string {
  return address.replace(/^[a-z]+:\/\//i, "").replace(/\/.*/s, "");
}

function storedLogin(auths: Readonly<Record<string, StoredLogin>>, host: string): DockerLogin {
  const stored =
    auths[host] ?? Object.entries(auths).find(([address]) => registryHost(address) === host)?.[1];
  if (stored === undefined) return { kind: "none" };
  const [, username = stored.username ?? "", password = stored.password ?? ""] =
    /^([^:]+):(.*)$/s.exec(Buffer.from(stored.auth ?? "", "base64").toString()) ?? [];
  const token = stored.identitytoken ?? stored.registrytoken ?? "";
  // `docker login` with a store leaves an empty entry.
  if (username === "" && token === "") return { kind: "none" };
  return { kind: "stored", credentials: { username, password } };
}

/** Protocol of docker-credential-helpers: the host on stdin, the login as JSON on stdout. */
async function askHelper(
  program: string,
  host: string,
  environment: NodeJS.ProcessEnv,
): Promise<HelperAnswer> {
  const options = { input: host, milliseconds: HELPER_MS, environment };
  const { code = 1, stdout, trouble } = await runProgram(program, ["get"], options);
  if (trouble === "too slow") return { kind: "too slow" };
  // The message for a missing login: docker-credential-helpers, `errCredentialsNotFound`.
  if (code !== 0 && /credentials not found/i.test(stdout)) return { kind: "no login" };
  const answer = code === 0 ? helperAnswer.safeParse(fromJson(stdout)) : undefined;
  if (answer?.success !== true) return { kind: "failure", code, said: code === 0 ? "" : stdout.trim() };
  const { Username: username, Secret: password } = answer.data;
  return username === "" && password === ""
    ? { kind: "no login" }
    : { kind: "login", credentials: { username, password } };
}

const helperAnswer = z.looseObject({ Username: z.string().default(""), Secret: z.string().default("") });
