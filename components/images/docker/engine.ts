import { request } from "node:http";
import { connect } from "node:net";
import * as path from "node:path";
import { z } from "zod";
import { fromJson } from "../../../problems/wording.ts";
import { runProgram } from "../programs.ts";
import { homeFolder } from "./config.ts";

const TIMEOUT_MS = 10_000;

/** The engine's default socket. */
export const DEFAULT_ADDRESS = "unix:///var/run/docker.sock";

/**
 * Addresses where the docker plugin looks for an engine: DOCKER_HOST, or else these sockets. It ignores docker contexts.
 */
export function pluginAddresses(environment: NodeJS.ProcessEnv): string[] {
  const host = environment["DOCKER_HOST"];
  if (host) return [host];
  const home = homeFolder(environment);
  return [
    DEFAULT_ADDRESS,
    `unix://${home}/.docker/run/docker.sock`,
    `unix://${home}/.docker/desktop/docker.sock`,
  ];
}

/** The engine of the docker command. */
export interface CommandEngine {
  address: string;
  /** The docker context; undefined for DOCKER_HOST or the default. */
  context?: string;
  /** Folder of the context's certificates. */
  certificates?: string;
}

/** Asks the docker command for its engine. Without that command, returns DOCKER_HOST, or else the default socket. */
export async function commandEngine(environment: NodeJS.ProcessEnv): Promise<CommandEngine> {
  const { stdout } = await runProgram("docker", ["context", "inspect"], { environment });
  const found = contexts.safeParse(fromJson(stdout)).data?.[0];
  const address = found?.Endpoints.docker.Host ?? "";
  if (found === undefined || address === "")
    return { address: environment["DOCKER_HOST"] || DEFAULT_ADDRESS };
  const { Name: context, TLSMaterial: material, Storage: storage } = found;
  return {
    address,
    ...(context !== "default" && { context }),
    ...(material?.["docker"] !== undefined && { certificates: path.join(storage.TLSPath, "docker") }),
  };
}

const contexts = z.array(
  z.looseObject({
    Name: z.string(),
    Endpoints: z.looseObject({ docker: z.looseObject({ Host: z.string() }) }),
    TLSMaterial: z.record(z.string(), z.unknown()).nullish(),
    Storage: z.looseObject({ TLSPath: z.string() }),
  }),
);

export interface EngineFacts {
  version: string;
  /** Whether images are in containerd's store, the default of new installations of Docker 29. */
  containerdStore: boolean;
  /** The containers' operating system. */
  system: string;
}

/** Reads facts about an engine; undefined if it does not answer. */
export async function engineFacts(address: string): Promise<EngineFacts | undefined> {
  const { success, data } = info.safeParse(fromJson((await askEngine(address, "/info", TIMEOUT_MS)) ?? ""));
  if (!success) return undefined;
  const containerdStore = (data.DriverStatus ?? []).some(([, value]) => value?.startsWith("io.containerd."));
  return { version: data.ServerVersion, containerdStore, system: data.OSType };
}

const info = z.looseObject({
  ServerVersion: z.string(),
  OSType: z.string(),
  DriverStatus: z.array(z.array(z.string())).nullish(),
});

/**
 * Whether an engine answers at an address. Assumes that it does for `ssh://` and `npipe://`, and for a TCP port that
 * accepts a connection, because the engine may require a certificate.
 */
export async function engineListens(address: string): Promise<boolean> {
  if (address.startsWith("unix://")) return (await askEngine(address, "/_ping", TIMEOUT_MS)) !== undefined;
  const tcp = /^(?:tcp|https?):\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d+)/.exec(address);
  return tcp === null || connects(Number(tcp[3]), tcp[1] ?? tcp[2] ?? "");
}

/**
 * Sends a request to an engine at `unix:///PATH` or, without TLS, `tcp://HOST:PORT`.
 * @returns the body of an answer with status 200, or else undefined.
 */
export function askEngine(
  address: string,
  question: string,
  milliseconds: number,
): Promise<string | undefined> {
  const target = requestTarget(address);
  if (target === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const fail = (): void => {
      resolve(undefined);
    };
    const options = { ...target, path: question, headers: { Host: "docker" }, agent: false };
    const signal = AbortSignal.timeout(milliseconds);
    const asked = request({ ...options, signal }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (body += part));
      response.on("error", fail);
      response.on("end", () => {
        resolve(response.statusCode === 200 ? body : undefined);
      });
    });
    asked.on("error", fail);
    asked.end();
  });
}

/** Options for node:http to reach an engine; undefined if it cannot. */
export function requestTarget(
  address: string,
): { socketPath: string } | { hostname: string; port: string } | undefined {
  if (address.startsWith("unix://")) return { socketPath: address.slice("unix://".length) };
  if (!URL.canParse(address)) return undefined;
  const { protocol, hostname, port } = new URL(address);
  return protocol === "tcp:" ? { hostname, port: port || "2375" } : undefined;
}

function connects(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const settle = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(TIMEOUT_MS, settle(false));
    socket.once("connect", settle(true));
    socket.once("error", settle(false));
  });
}
