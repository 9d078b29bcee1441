import { z } from "zod";
import { commandsOnPath, runProgram } from "../programs.ts";
import { fromJson, readDockerConfig, type StoredLogin } from "./config.ts";

/** A helper that does not answer within this time is not waited for; some ask a person for a password. */
const HELPER_MS = 30_000;

/** What Docker would log in with at a registry. Holds secrets: nothing of it is to be printed or kept. */
interface Credentials {
  username: string;
  /** Empty where Docker has a token instead of a password. */
  password: string;
}

/** How Docker would log in at a registry. */
export type DockerLogin =
  /** There is no login, and no program to ask for one. */
  | { kind: "none" }
  /** A login that `docker login` left in the configuration. */
  | { kind: "stored"; credentials: Credentials }
  /** By a program, which is not asked before somebody asks for it. */
  | { kind: "helper"; helper: string; ask: () => Promise<HelperAnswer> }
  /** By a program that is not there. */
  | { kind: "missing helper"; helper: string };

/** What a credential helper said. */
export type HelperAnswer =
  | { kind: "login"; credentials: Credentials }
  | { kind: "no login" | "too slow" }
  /** With what it said, which is for no log: it may be anything. */
  | { kind: "failure"; code: number; said: string };

/**
 * How Docker would log in at a registry, by its configuration and in its order: the helper for the host, else the store
 * for all, else the file (docker/cli, `cli/config/configfile`).
 * @param host the registry's host, with its port.
 * @throws when the configuration is not one that Docker reads.
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

/** A program that the docker plugin cannot get logins from, although its configuration names it. */
export interface BrokenHelper {
  helper: string;
  /** It keeps all logins, and the plugin lists them at its start: without it the plugin does not start. */
  isStore: boolean;
  /** Registries that have it as a helper of their own. */
  hosts: string[];
  trouble: "missing" | "failure" | "too slow";
}

/**
 * The helpers that do not work, as the docker plugin finds them: it reads the logins of all registries, not only those of
 * the one that it pushes to (docker/cli, `ConfigFile.GetAllCredentials`).
 * @throws when the configuration is not one that Docker reads.
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

/** The host of a registry's address, which may be written as a URL: docker/cli's `ConvertToHostname`. */
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
  // `docker login` with a store leaves an empty entry behind, which is none.
  if (username === "" && token === "") return { kind: "none" };
  return { kind: "stored", credentials: { username, password } };
}

/** The protocol of docker-credential-helpers: the host on its standard input, the login as JSON on its output. */
async function askHelper(
  program: string,
  host: string,
  environment: NodeJS.ProcessEnv,
): Promise<HelperAnswer> {
  const options = { input: host, milliseconds: HELPER_MS, environment };
  const { code = 1, stdout, trouble } = await runProgram(program, ["get"], options);
  if (trouble === "too slow") return { kind: "too slow" };
  // Its words for "I know none", and no other: docker-credential-helpers, `errCredentialsNotFound`.
  if (code !== 0 && /credentials not found/i.test(stdout)) return { kind: "no login" };
  const answer = code === 0 ? helperAnswer.safeParse(fromJson(stdout)) : undefined;
  if (answer?.success !== true) return { kind: "failure", code, said: code === 0 ? "" : stdout.trim() };
  const { Username: username, Secret: password } = answer.data;
  return username === "" && password === ""
    ? { kind: "no login" }
    : { kind: "login", credentials: { username, password } };
}

const helperAnswer = z.looseObject({ Username: z.string().default(""), Secret: z.string().default("") });
