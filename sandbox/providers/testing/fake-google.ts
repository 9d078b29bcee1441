import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it came. */
export interface Seen {
  method: string;
  /** With the query. */
  url: string;
  body: unknown;
  authorization: string | undefined;
  quotaProject: unknown;
}

export interface Answer {
  status?: number;
  body?: unknown;
}

/** A Google API that answers what a test tells it to, and remembers what it was asked. */
export class FakeGoogle {
  private readonly server: Server;
  readonly origin: string;
  readonly seen: Seen[] = [];

  private constructor(
    server: Server,
    /** `http://127.0.0.1:PORT` */
    origin: string,
  ) {
    this.server = server;
    this.origin = origin;
  }

  /** @param answer for each request; a 404 where it returns nothing */
  static async start(answer: (request: Seen, before: Seen[]) => Answer | undefined): Promise<FakeGoogle> {
    const server = createServer((request, response) => {
      void bodyOf(request).then((text) => {
        const seen: Seen = {
          method: request.method ?? "",
          url: request.url ?? "",
          body: text === "" ? undefined : JSON.parse(text),
          authorization: request.headers.authorization,
          quotaProject: request.headers["x-goog-user-project"],
        };
        const before = [...fake.seen];
        fake.seen.push(seen);
        const { status = 200, body = {} } = answer(seen, before) ?? {
          status: 404,
          body: { error: { code: 404, message: "not found", status: "NOT_FOUND" } },
        };
        response.writeHead(status, { "content-type": "application/json" });
        response.end(typeof body === "string" ? body : JSON.stringify(body));
      });
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const fake = new FakeGoogle(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return fake;
  }

  /** `GET /v1/projects/p/...`, without the parameters that every request carries. */
  get requests(): string[] {
    return this.seen.map(({ method, url }) => {
      const parsed = new URL(url, this.origin);
      for (const name of ["alt", "prettyPrint"]) parsed.searchParams.delete(name);
      return `${method} ${decodeURIComponent(parsed.pathname + parsed.search)}`;
    });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}

/** An error body as Google words it. */
export function failure(code: number, message: string, status = "UNKNOWN"): Answer {
  return { status: code, body: { error: { code, message, status } } };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}
