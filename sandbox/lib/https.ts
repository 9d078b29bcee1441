import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";

/** One request to a server on loopback. */
export interface HttpsRequest {
  port: number;
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** The certificate that the server must have (PEM). */
  ca: string | Buffer;
}

export interface HttpsAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** The answer, whatever its status. Throws where there is none within 10 seconds. */
export function askHttps({ body, ...options }: HttpsRequest): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", timeout: 10_000, ...options }, (response) => {
      const { statusCode: status = 0, headers } = response;
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status, headers, body: text });
      });
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer within 10 s")));
    asked.on("error", reject);
    asked.end(body);
  });
}
