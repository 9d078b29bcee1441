import { request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { pipeline } from "node:stream";
import type { RegistryFault } from "../emulator/support/faults/fault.ts";

export interface RegistryProxyOptions {
  /** PEM. */
  key: string;
  /** PEM. */
  certificate: string;
  /** Port of the registry on 127.0.0.1, without TLS. */
  upstreamPort: number;
  /** Returns the fault of a request. */
  takeFault: (method: string, path: string) => RegistryFault | undefined;
}

/** A TLS proxy that forwards requests to the registry, and aborts those with a fault. */
export function registryProxy(options: RegistryProxyOptions): Server {
  return createServer({ key: options.key, cert: options.certificate }, (incoming, outgoing) => {
    const upstream = request({
      host: "127.0.0.1",
      port: options.upstreamPort,
      method: incoming.method,
      path: incoming.url,
      // The registry builds addresses in answers from this and from `Host`.
      headers: { ...incoming.headers, "x-forwarded-proto": "https" },
    });
    upstream.on("error", () => outgoing.destroy());
    const fault = options.takeFault(incoming.method ?? "", (incoming.url ?? "").replace(/\?.*$/, ""));
    if (fault) {
      forwardStart(incoming, upstream, fault.afterBytes, () => {
        console.log(
          `${new Date().toISOString()} fault: ${fault.kind} on ${incoming.method ?? ""} ${incoming.url ?? ""}`,
        );
        if (fault.kind === "registry-cut") incoming.socket.destroy();
        else fail(incoming, outgoing, fault.status);
      });
      return;
    }
    upstream.on("response", (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      pipeline(response, outgoing, () => undefined);
    });
    pipeline(incoming, upstream, () => undefined);
  });
}

/** Forwards the first bytes of a request, then ends the connection to the registry. */
function forwardStart(
  incoming: IncomingMessage,
  upstream: ReturnType<typeof request>,
  bytes: number,
  then: () => void,
): void {
  let passed = 0;
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    upstream.destroy();
    then();
  };
  incoming.on("data", (chunk: Buffer) => {
    if (over) return;
    upstream.write(chunk);
    passed += chunk.length;
    if (passed >= bytes) end();
  });
  incoming.on("end", end);
}

/** Answers as Distribution does. Reads the rest of the request; otherwise the client sees a broken connection. */
function fail(incoming: IncomingMessage, outgoing: ServerResponse, status: number): void {
  incoming.resume();
  outgoing.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  outgoing.end(JSON.stringify({ errors: [{ code: "UNKNOWN", message: "unknown error", detail: {} }] }));
}
