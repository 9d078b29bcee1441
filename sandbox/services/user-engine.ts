import { commandEngine, DEFAULT_ADDRESS } from "../../components/images/docker/engine.ts";
import { engineInfo, type EngineInfo } from "../lib/engine-info.ts";

/** The engine of the user's `docker`, and whether the sandbox can use it. */
export type UserEngine =
  { host: string; usable: true; version: string } | { host: string; usable: false; why: string };

export async function findUserEngine(env: NodeJS.ProcessEnv = process.env): Promise<UserEngine> {
  const host = await userHost(env);
  const elsewhere = whyElsewhere(host);
  if (elsewhere) return { host, usable: false, why: elsewhere };
  const info = await engineInfo(host);
  if (!info) return { host, usable: false, why: "no engine answers there" };
  const apart = whyApart(info);
  return apart ? { host, usable: false, why: apart } : { host, usable: true, version: info.ServerVersion };
}

async function userHost(env: NodeJS.ProcessEnv): Promise<string> {
  // The user's own DOCKER_HOST is unknown in a shell with the sandbox's variables.
  return env["HYPERION_SANDBOX_SHELL"] ? DEFAULT_ADDRESS : (await commandEngine(env)).address;
}

/** Why an engine at `host` cannot reach this machine's loopback; undefined if it can. */
export function whyElsewhere(host: string): string | undefined {
  if (host.startsWith("unix://")) return undefined;
  if (URL.canParse(host) && new URL(host).protocol === "tcp:") {
    const name = new URL(host).hostname;
    if (name === "localhost" || name === "[::1]" || name.startsWith("127.")) return undefined;
  }
  return "an engine on another machine cannot reach the sandbox's registry";
}

/** Why an engine on this machine cannot reach its loopback; undefined if it can. */
export function whyApart(info: EngineInfo): string | undefined {
  if (info.OperatingSystem.includes("Docker Desktop"))
    return "Docker Desktop's engine runs in a virtual machine and cannot reach the sandbox's registry";
  if (info.SecurityOptions?.some((option) => option.includes("rootless")))
    return "a rootless engine has its own network and cannot reach the sandbox's registry";
  return undefined;
}
