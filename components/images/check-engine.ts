import { connect, type Socket } from "node:net";
import { homedir } from "node:os";
import * as path from "node:path";
import type { Problem } from "../../problems/problem.ts";

/** A Docker engine that does not answer within this time is not there. */
const TIMEOUT_MS = 3000;

/** No Docker engine at DOCKER_HOST or, where that is not set, at the usual sockets. */
export async function dockerEngineProblem(host = process.env["DOCKER_HOST"]): Promise<Problem | undefined> {
  const addresses = host
    ? [host]
    : ["unix:///var/run/docker.sock", `unix://${path.join(homedir(), ".docker/run/docker.sock")}`];
  const answers = await Promise.all(addresses.map(listens));
  if (answers.includes(true)) return undefined;
  return {
    where: host ? `DOCKER_HOST=${host}` : "Docker engine",
    found: `no engine listens at ${addresses.join(" or ")}`,
    allowed: "a running Docker engine, which builds the images",
    fix: "start Docker, or provision without building: pulumi config set hyperion-registry:publishImages false",
  };
}

async function listens(address: string): Promise<boolean> {
  if (address.startsWith("unix://")) return connects(connect(address.slice("unix://".length)));
  const tcp = /^(?:tcp|https?):\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d+)/.exec(address);
  if (tcp) return connects(connect(Number(tcp[3]), tcp[1] ?? tcp[2]));
  return true; // ssh:// and npipe:// are the plugin's to try
}

function connects(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(TIMEOUT_MS, settle(false));
    socket.once("connect", settle(true));
    socket.once("error", settle(false));
  });
}
