import type { IncomingHttpHeaders } from "node:http";
import type { Agent } from "node:https";
import { existsSync, readFileSync } from "node:fs";

export interface Request {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string | Buffer;
  /** Timeout while the server sends nothing. Default: none. */
  seconds?: number;
  signal?: AbortSignal;
  /** Trusted certificates (PEM). Default: those that a Go program trusts. */
  ca?: string | Buffer;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** The connection failed or timed out. */
export class NoAnswer extends Error {}

/**
 * @returns the answer, with any status.
 * @throws NoAnswer
 */
export function send({ method, url, headers, body, seconds, signal, ca }: Request): Promise<Answer> {
  const secure = url.protocol === "https:";
  const options = {
    method,
    headers,
    ...(signal && { signal }),
    ...(seconds !== undefined && { timeout: seconds * 1000 }),
    ...(secure && (ca === undefined ? { agent: trusting() } : { ca })),
  };
  // `fetch` and `import "node:http"` load undici, which takes half as long as the start of Node.js.
  const { request } = process.getBuiltinModule(secure ? "node:https" : "node:http");
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      // An error of several addresses of a host has no message.
      reject(signal?.aborted ? error : new NoAnswer(error.message || error.code, { cause: error }));
    };
    const sent = request(url, options, (response) => {
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
    // Node.js's agents emit this event after five seconds by default.
    if (seconds !== undefined)
      sent.on("timeout", () => sent.destroy(new Error(`${url.host} did not answer within ${seconds} s`)));
    sent.on("error", fail);
    sent.end(body);
  });
}

let agent: Agent | undefined;

/**
 * Trusts the file in SSL_CERT_FILE, else the system's certificates, else those of Node.js. Reads them once because reading
 * takes longer than the rest of a connection.
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
