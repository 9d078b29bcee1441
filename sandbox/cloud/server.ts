import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { createApp } from "./app";
import { cloudFiles } from "./files";
import { openWorld, type World } from "./world";

/** Which sandbox to serve, and where. */
export interface CloudOptions {
  sandboxDir: string;
  /** Port on 127.0.0.1; 0 for any free one. Default: `cloudPort` of config.json, else any. */
  port?: number;
  /** Default: `registryPort` of config.json. */
  registryPort?: number;
}

/** The running emulated APIs. */
export interface Cloud {
  port: number;
  /** `http://127.0.0.1:PORT/`. */
  url: string;
  world: World;
  close(): Promise<void>;
}

interface Ports {
  cloudPort?: number;
  registryPort?: number;
}

async function readPorts(file: string): Promise<Ports> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Ports;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
}

/** Starts the emulated Google APIs and the registry's token server on loopback. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const ports = await readPorts(cloudFiles(options.sandboxDir).config);
  const world = openWorld(options.sandboxDir, options.registryPort ?? ports.registryPort ?? 0);
  const app = createApp(world);
  return new Promise((resolve, reject) => {
    const server = serve(
      { fetch: app.fetch, hostname: "127.0.0.1", port: options.port ?? ports.cloudPort ?? 0 },
      ({ port }: AddressInfo) => {
        const close = (): Promise<void> =>
          new Promise((closed, failed) => {
            server.close((error) => {
              if (error) failed(error);
              else closed();
            });
            if ("closeAllConnections" in server) server.closeIdleConnections();
          });
        resolve({ port, url: `http://127.0.0.1:${port}/`, world, close });
      },
    );
    server.once("error", reject);
  });
}
