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
  return createServer({ key: options.key, cert: options.certificate }, (asked, answer) => {
    const upstream = request({
      host: "127.0.0.1",
      port: options.upstreamPort,
      method: asked.method,
      path: asked.url,
      // The registry builds addresses in answers from this and from `Host`.
      headers: { ...asked.headers, "x-forwarded-proto": "https" },
    });
    upstream.on("error", () => answer.destroy());
    const fault = options.takeFault(asked.method ?? "", (asked.url ?? "").replace(/\?.*$/, ""));
    if (fault) {
      passSome(asked, upstream, fault.afterBytes, () => {
        console.log(
          `${new Date().toISOString()} fault: ${fault.kind} (${fault.id}) on ${asked.method ?? ""} ${asked.url ?? ""}`,
        );
        if (fault.kind === "registry-cut") asked.socket.destroy();
        else fail(asked, answer, fault.status);
      });
      return;
    }
    upstream.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      pipeline(response, answer, () => undefined);
    });
    pipeline(asked, upstream, () => undefined);
  });
}

/** Forwards the first bytes of a request, then ends the connection to the registry. */
function passSome(
  asked: IncomingMessage,
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
  asked.on("data", (chunk: Buffer) => {
    if (over) return;
    upstream.write(chunk);
    passed += chunk.length;
    if (passed >= bytes) end();
  });
  asked.on("end", end);
}

/** Answers as Distribution does. Reads the rest of the request; otherwise the client sees a broken connection. */
function fail(asked: IncomingMessage, answer: ServerResponse, status: number): void {
  asked.resume();
  answer.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  answer.end(JSON.stringify({ errors: [{ code: "UNKNOWN", message: "unknown error", detail: {} }] }));
}
