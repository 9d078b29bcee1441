import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { type Answer, createApp } from "./app.ts";
import { sandboxPaths } from "../lib/paths.ts";
import { openContext, type Context } from "./support/context.ts";

/** Which sandbox to serve, and where. */
export interface EmulatorOptions {
  sandboxDir: string;
  /** Port on 127.0.0.1; 0 for any free one. Default: `emulatorPort` of config.json, else any. */
  port?: number;
  /** Default: `registryPort` of config.json. */
  registryPort?: number;
}

/** The running emulated APIs. */
export interface Emulator {
  port: number;
  /** `http://127.0.0.1:PORT/`. */
  url: string;
  context: Context;
  close(): Promise<void>;
}

interface Ports {
  emulatorPort?: number;
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
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const ports = await readPorts(sandboxPaths(options.sandboxDir).config);
  const context = openContext(options.sandboxDir, options.registryPort ?? ports.registryPort ?? 0);
  const answer = createApp(context);
  const server = createServer((request, response) => void respond(answer, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? ports.emulatorPort ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((closed, failed) => {
      server.close((error) => {
        if (error) failed(error);
        else closed();
      });
      server.closeIdleConnections();
    });
  return { port, url: `http://127.0.0.1:${port}/`, context, close };
}

async function respond(answer: Answer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET" } = request;
  const answered = await answer(
    new Request(`http://${request.headers.host ?? "127.0.0.1"}${request.url ?? "/"}`, {
      method,
      headers: Object.entries(request.headersDistinct).flatMap(([name, values = []]) =>
        values.map((value): [string, string] => [name, value]),
      ),
      ...(method !== "GET" && method !== "HEAD" && { body: Readable.toWeb(request), duplex: "half" }),
    }),
  );
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.end(Buffer.from(await answered.arrayBuffer()));
}
