import type { IncomingHttpHeaders } from "node:http";
import type { Agent } from "node:https";
import { existsSync, readFileSync } from "node:fs";

/** One request. */
export interface Request {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string | Buffer;
  /** Where it is sent to; default: where the URL leads. */
  target?: { socketPath: string } | { hostname: string; port: string };
  /** How long the other side may be silent; default: for ever. */
  seconds?: number;
  signal?: AbortSignal;
  /** The certificates that are trusted (PEM). Default: those that a Go program trusts. */
  ca?: string | Buffer;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Nobody answered: the connection failed, or the other side was silent for too long. */
export class NoAnswer extends Error {}

/**
 * Sends one request.
 *
 * @returns the answer, whatever its status
 * @throws NoAnswer where there is none
 */
export function send({ method, url, headers, body, target, seconds, signal, ca }: Request): Promise<Answer> {
  const secure = url.protocol === "https:";
  const options = {
    method,
    headers,
    ...(signal && { signal }),
    ...target,
    ...(seconds !== undefined && { timeout: seconds * 1000 }),
    ...(secure && (ca === undefined ? { agent: trusting() } : { ca })),
  };
  // `fetch`, and an `import` of node:http, load Node.js's whole client (undici, for the WebSocket among its exports), which
  // takes half as long as Node.js itself.
  const { request } = process.getBuiltinModule(secure ? "node:https" : "node:http");
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      // One that failed at each address of a host has no message of its own.
      reject(signal?.aborted ? error : new NoAnswer(error.message || error.code, { cause: error }));
    };
    const asked = request(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", fail);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    // Node.js's agents say so after five seconds by themselves.
    if (seconds !== undefined)
      asked.on("timeout", () => asked.destroy(new Error(`${url.host} did not answer within ${seconds} s`)));
    asked.on("error", fail);
    asked.end(body);
  });
}

let agent: Agent | undefined;

/**
 * Trusts the file that SSL_CERT_FILE names, else the system's certificates; Node.js's own where there is none. They are
 * read once: to read them takes longer than all else that a connection takes.
 */
function trusting(): Agent {
  const file = process.env["SSL_CERT_FILE"] ?? "/etc/ssl/certs/ca-certificates.crt";
  const { Agent } = process.getBuiltinModule("node:https");
  const { createSecureContext } = process.getBuiltinModule("node:tls");
  agent ??= new Agent({
    keepAlive: true,
    secureContext: createSecureContext(existsSync(file) ? { ca: readFileSync(file, "utf8") } : {}),
  });
  return agent;
}
