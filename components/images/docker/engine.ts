import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import * as path from "node:path";
import { z } from "zod";
import { dockerConfigFolder, homeFolder, readDockerConfig } from "./config.ts";

/** An engine that does not answer within this time is not there. */
const TIMEOUT_MS = 10_000;

/** Where an engine listens that nobody moved. */
export const DEFAULT_ADDRESS = "unix:///var/run/docker.sock";

/** Where the docker plugin looks for an engine: at DOCKER_HOST, else at these sockets. It knows no context. */
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

/** Where engines listen that the plugin does not look for: rootless Docker, Colima, Podman. */
export function otherAddresses(environment: NodeJS.ProcessEnv): string[] {
  const home = homeFolder(environment);
  const runtime = environment["XDG_RUNTIME_DIR"] || `/run/user/${process.getuid?.() ?? 0}`;
  return [
    `${runtime}/docker.sock`,
    `${home}/.colima/default/docker.sock`,
    `${home}/.colima/docker.sock`,
    `${runtime}/podman/podman.sock`,
    "/run/podman/podman.sock",
    `${home}/.local/share/containers/podman/machine/podman.sock`,
  ].map((socket) => `unix://${socket}`);
}

/** The engine of the docker command, and what says that it is this one. */
export interface CommandEngine {
  address: string;
  /** The docker context; undefined where DOCKER_HOST says it, or nothing. */
  context?: string;
  /** The folder of the context's certificates, where it has some. */
  certificates?: string;
}

/**
 * The engine of the docker command: DOCKER_HOST, else the context, else the usual socket. A configuration that cannot be
 * read names no context: what is wrong with it is told where the login is asked for.
 */
export function commandEngine(environment: NodeJS.ProcessEnv): CommandEngine {
  const host = environment["DOCKER_HOST"];
  if (host) return { address: host };
  const context = environment["DOCKER_CONTEXT"] || currentContext(environment);
  if (!context || context === "default") return { address: DEFAULT_ADDRESS };
  // A context lies in folders that are named by the hash of its name (docker/cli, `cli/context/store`).
  const name = createHash("sha256").update(context).digest("hex");
  const contexts = path.join(dockerConfigFolder(environment), "contexts");
  const certificates = path.join(contexts, "tls", name, "docker");
  return {
    address: contextHost(path.join(contexts, "meta", name, "meta.json")) || DEFAULT_ADDRESS,
    context,
    ...(existsSync(path.join(certificates, "ca.pem")) && { certificates }),
  };
}

function currentContext(environment: NodeJS.ProcessEnv): string | null | undefined {
  try {
    return readDockerConfig(environment).currentContext;
  } catch {
    return undefined;
  }
}

const contextFile = z.looseObject({
  Endpoints: z.looseObject({ docker: z.looseObject({ Host: z.string().optional() }) }),
});

function contextHost(file: string): string | undefined {
  try {
    return contextFile.parse(JSON.parse(readFileSync(file, "utf8"))).Endpoints.docker.Host;
  } catch {
    return undefined;
  }
}

/**
 * Whether an engine answers at an address, as far as that can be told from here: `ssh://` and `npipe://` are taken for
 * good, and so is a TCP port that takes a connection, since it may want a certificate.
 */
export async function engineListens(address: string): Promise<boolean> {
  if (address.startsWith("unix://")) return (await askEngine(address, "/_ping", TIMEOUT_MS)) !== undefined;
  const tcp = /^(?:tcp|https?):\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d+)/.exec(address);
  return tcp === null || connects(Number(tcp[3]), tcp[1] ?? tcp[2] ?? "");
}

/**
 * Asks an engine at `unix:///PATH` or, without TLS, `tcp://HOST:PORT`.
 * @returns what it answers with status 200; undefined for all else.
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

/** Where node:http reaches an engine; undefined where it cannot. */
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
