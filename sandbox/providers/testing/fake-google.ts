import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { listen } from "../../../test/support/listen.ts";

/** A request. */
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

/** A Google API with answers by a test. Records requests. */
export class FakeGoogle {
  private readonly server: Server;
  readonly seen: Seen[] = [];

  private constructor(answer: (request: Seen, before: Seen[]) => Answer | undefined) {
    this.server = createServer((request, response) => {
      void text(request).then((sent) => {
        const seen: Seen = {
          method: request.method ?? "",
          url: request.url ?? "",
          body: sent === "" ? undefined : JSON.parse(sent),
          authorization: request.headers.authorization,
          quotaProject: request.headers["x-goog-user-project"],
        };
        const before = [...this.seen];
        this.seen.push(seen);
        const { status = 200, body = {} } = answer(seen, before) ?? failure(404, "not found", "NOT_FOUND");
        response.writeHead(status, { "content-type": "application/json" });
        response.end(typeof body === "string" ? body : JSON.stringify(body));
      });
    });
  }

  /** @param answer answers a request; 404 if it returns undefined. */
  static async start(answer: (request: Seen, before: Seen[]) => Answer | undefined): Promise<FakeGoogle> {
    const fake = new FakeGoogle(answer);
    await listen(fake.server);
    return fake;
  }

  /** `http://127.0.0.1:PORT` */
  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** `GET /v1/projects/p/...`, without `alt` and `prettyPrint`. */
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

/** An error answer. */
export function failure(code: number, message: string, status = "UNKNOWN"): Answer {
  return { status: code, body: { error: { code, message, status } } };
}
