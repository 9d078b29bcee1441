import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { createApp } from "./app.ts";
import { readConfig } from "../lib/config.ts";
import { sandboxPaths } from "../lib/paths.ts";
import { openContext, type Context } from "./support/context.ts";

export interface EmulatorOptions {
  sandboxDir: string;
  /** Port of 127.0.0.1; 0 for any free one. Default: the sandbox's. */
  port?: number;
  /** Default: the sandbox's. */
  registryPort?: number;
}

export interface Emulator {
  port: number;
  /** `http://127.0.0.1:PORT/`. */
  url: string;
  context: Context;
  close(): Promise<void>;
}

/** Starts the emulated APIs on loopback. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const config = readConfig(sandboxPaths(options.sandboxDir));
  const context = openContext(options.sandboxDir, options.registryPort ?? config?.registryPort ?? 0);
  const answer = createApp(context);
  const server = createServer((request, response) => void respond(answer, request, response));
  server.listen(options.port ?? config?.emulatorPort ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = promisify(server.close.bind(server));
  return { port, url: `http://127.0.0.1:${port}/`, context, close };
}

async function respond(
  answer: ReturnType<typeof createApp>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
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
