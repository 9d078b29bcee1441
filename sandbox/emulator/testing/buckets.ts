import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request as send,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import getPort from "get-port";
import { mintAccessToken } from "../../lib/tokens.ts";
import { ensureGoTool } from "../../machine/install-go-tool.ts";
import { bucketFor, StorageError } from "../apis/storage/routes.ts";
import type { Emulator } from "../server.ts";
import { ApiError } from "../support/http/errors.ts";
import { authenticate } from "../support/http/router.ts";
import { end, listening } from "./registry.ts";

/** Cloud Storage with what is in the buckets: in front of a real emulator of it, who may do what. */
export interface Buckets {
  /** `http://127.0.0.1:PORT`, where everybody is who their token says. */
  url: string;
  /**
   * The same, as `127.0.0.1:PORT`, where whoever brings no token is this principal: with STORAGE_EMULATOR_HOST set, the
   * Go client that Pulumi has sends none (gocloud.dev/blob/gcsblob).
   */
  as(principal: string): Promise<string>;
  /** What was refused so far: `storage.objects.create BUCKET serviceAccount:...`. */
  refused: string[];
  stop(): Promise<void>;
}

/** What a request needs on which bucket; undefined for the buckets themselves, which the emulator answers. */
interface Need {
  bucket: string;
  permissions: string[];
}

/**
 * Starts Cloud Storage on loopback: the emulator's buckets and policies, and the objects of a fake-gcs-server, which
 * has no policies itself and lets in everybody.
 */
export async function startBuckets(emulator: Emulator): Promise<Buckets> {
  const program = await ensureGoTool("fake-gcs-server", (line) => {
    console.log(line);
  });
  const upstream = await getPort({ host: "127.0.0.1" });
  const listeners: Server[] = [];
  const listen = async (principal?: string): Promise<string> => {
    const listener = createServer((request, response) => void answer(request, response, principal));
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    listeners.push(listener);
    return `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  };
  const url = `http://${await listen()}`;
  // It knows its requests by this name, whatever they came by.
  const host = `127.0.0.1:${upstream}`;
  const where = `-scheme http -host 127.0.0.1 -port ${upstream} -public-host ${host} -external-url ${url}`;
  const objects = spawn(program, `${where} -backend memory`.split(" "), { stdio: "ignore" });
  await listening(upstream);
  const refused: string[] = [];

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    principal: string | undefined,
  ): Promise<void> {
    const body = await buffer(request);
    const { sandboxDir } = emulator.context;
    if (principal !== undefined)
      request.headers.authorization ??= `Bearer ${await mintAccessToken(sandboxDir, principal)}`;
    const { method = "GET", url: path = "/" } = request;
    const need = needOf(method, path);
    if (need === undefined) {
      pass(request, body, response, emulator.port, () => emulatorAnswered(method, path, body));
      return;
    }
    try {
      const headers = { authorization: request.headers.authorization ?? "" };
      const caller = await authenticate(emulator.context, new Request(`${url}${path}`, { headers }));
      for (const permission of need.permissions) {
        try {
          bucketFor(emulator.context, caller, need.bucket, permission);
        } catch (error) {
          refused.push(`${permission} ${need.bucket} ${caller.principal}`);
          throw error;
        }
      }
    } catch (error) {
      const told = refusal(error);
      response.writeHead(told.status, { "content-type": "application/json" }).end(await told.text());
      return;
    }
    pass(request, body, response, upstream);
  }

  /** A bucket that the emulator has made takes objects. */
  async function emulatorAnswered(method: string, path: string, body: Buffer): Promise<void> {
    if (method !== "POST" || !/^\/storage\/v1\/b(\?|$)/.test(path)) return;
    const { name } = JSON.parse(body.toString()) as { name: string };
    await fetch(`http://127.0.0.1:${upstream}/storage/v1/b?project=any`, {
      method,
      body: JSON.stringify({ name }),
    });
  }

  return {
    url,
    as: listen,
    refused,
    stop: async () => {
      await end(objects);
      for (const listener of listeners) {
        listener.closeAllConnections();
        listener.close();
      }
    },
  };
}

/** By method and path, of the JSON API, its uploads and the XML API, by which the Go client downloads. */
function needOf(method: string, path: string): Need | undefined {
  const { pathname } = new URL(path, "http://localhost");
  const json = /^\/(?:(?:upload|download)\/)?storage\/v1\/b\/([^/]+)\/o(?:\/|$)(.*)$/.exec(pathname);
  if (json?.[1] !== undefined) {
    const [, bucket, object = ""] = json;
    const from = ["storage.objects.get"];
    const into = ["storage.objects.create", "storage.objects.delete"];
    const copy = /\/(?:copyTo|rewriteTo)\//.test(object);
    const needs: Record<string, string[]> = {
      GET: object === "" ? ["storage.objects.list"] : from,
      POST: copy ? [...from, ...into] : into,
      PUT: into,
      PATCH: ["storage.objects.update"],
      DELETE: ["storage.objects.delete"],
    };
    return { bucket, permissions: needs[method] ?? into };
  }
  if (pathname.startsWith("/storage/v1/")) return undefined;
  const xml = /^\/([^/]+)\/.+$/.exec(pathname);
  if (xml?.[1] === undefined) return undefined;
  const reads = method === "GET" || method === "HEAD";
  return { bucket: xml[1], permissions: reads ? ["storage.objects.get"] : ["storage.objects.create"] };
}

function refusal(error: unknown): Response {
  if (error instanceof StorageError) return error.toResponse();
  if (error instanceof ApiError) return Response.json(error.toJSON(), { status: error.httpStatus });
  throw error;
}

function pass(
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  port: number,
  before: () => Promise<void> = () => Promise.resolve(),
): void {
  const { method, url: path, headers } = request;
  headers.host = `127.0.0.1:${port}`;
  const onward = send({ host: "127.0.0.1", port, method, path, headers }, (answered) => {
    void before().then(() => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
    });
  });
  onward.on("error", () => response.destroy());
  onward.end(body);
}
