import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  request as send,
  type Server,
  type ServerResponse,
} from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { listen as listenOn } from "../../../test/support/listen.ts";
import { claimPorts } from "../../lib/ports.ts";
import { mintAccessToken, verifyAccessToken } from "../../lib/tokens.ts";
import { ensureGoTool } from "../../machine/install-go-tool.ts";
import { forbidden } from "../apis/storage/routes.ts";
import { end, listening } from "./registry.ts";

/** Cloud Storage with objects: a proxy that checks permissions in front of fake-gcs-server. */
export interface Buckets {
  /** `http://127.0.0.1:PORT`, where requests need an access token. */
  url: string;
  /**
   * Another address, `127.0.0.1:PORT`, where requests without a token are this principal's. Pulumi's Go client sends no token
   * if STORAGE_EMULATOR_HOST is set (gocloud.dev/blob/gcsblob).
   */
  as(principal: string): Promise<string>;
  /** Refused requests: `storage.objects.create BUCKET serviceAccount:...`. */
  refused: string[];
  stop(): Promise<void>;
}

/** The emulated Google APIs, and the folder of their keys. */
interface Google {
  /** `http://127.0.0.1:PORT`, with or without a slash at its end. */
  url: string;
  sandboxDir: string;
}

/** The permissions that a request needs on a bucket. */
interface Need {
  bucket: string;
  permissions: string[];
}

/** Starts Cloud Storage on loopback: buckets and policies are the emulator's, objects are fake-gcs-server's. */
export async function startBuckets({ url: google, sandboxDir }: Google): Promise<Buckets> {
  const program = await ensureGoTool("fake-gcs-server", (line) => {
    console.log(line);
  });
  const folder = await mkdtemp(join(tmpdir(), "hyperion-buckets-"));
  const [upstream = 0] = await claimPorts(folder, 1);
  const listeners: Server[] = [];
  const listen = async (principal?: string): Promise<string> => {
    const listener = createServer((request, response) => void answer(request, response, principal));
    listeners.push(listener);
    return `127.0.0.1:${await listenOn(listener)}`;
  };
  const url = `http://${await listen()}`;
  // The host name that the server expects in requests.
  const host = `127.0.0.1:${upstream}`;
  const where = `-scheme http -host 127.0.0.1 -port ${upstream} -public-host ${host} -external-url ${url}`;
  const objects = spawn(program, `${where} -backend memory`.split(" "), { stdio: "ignore" });
  await listening(upstream);
  const denied: string[] = [];
  const emulatorPort = Number(new URL(google).port);

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    principal: string | undefined,
  ): Promise<void> {
    const body = await buffer(request);
    if (principal !== undefined)
      request.headers.authorization ??= `Bearer ${await mintAccessToken(sandboxDir, principal)}`;
    const { method = "GET", url: path = "/" } = request;
    const need = needOf(method, path);
    if (need === undefined) {
      pass(request, body, response, emulatorPort, () => mirrorBucket(method, path, body));
      return;
    }
    const refused = await refusal(need, request.headers.authorization ?? "");
    if (refused === undefined) pass(request, body, response, upstream);
    else response.writeHead(refused.status, { "content-type": "application/json" }).end(await refused.text());
  }

  /** Asks the emulator for the caller's permissions; its own error, or Google's for a missing permission. */
  async function refusal(
    { bucket, permissions }: Need,
    authorization: string,
  ): Promise<Response | undefined> {
    const path = `/storage/v1/b/${bucket}/iam/testPermissions`;
    const query = new URLSearchParams(permissions.map((each): [string, string] => ["permissions", each]));
    const answer = await fetch(new URL(`${path}?${query.toString()}`, google), {
      headers: { authorization },
    });
    if (!answer.ok) return answer;
    const { permissions: granted } = (await answer.json()) as { permissions: string[] };
    const missing = permissions.find((each) => !granted.includes(each));
    if (missing === undefined) return undefined;
    const caller = await verifyAccessToken(sandboxDir, authorization.replace(/^Bearer /i, ""));
    denied.push(`${missing} ${bucket} ${caller.principal}`);
    return forbidden(caller, missing, "Google Cloud Storage bucket").toResponse();
  }

  /** Creates a bucket in fake-gcs-server after the emulator has created it. */
  async function mirrorBucket(method: string, path: string, body: Buffer): Promise<void> {
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
    refused: denied,
    stop: async () => {
      await end(objects);
      await rm(folder, { recursive: true });
      for (const listener of listeners) {
        listener.closeAllConnections();
        listener.close();
      }
    },
  };
}

/**
 * The permissions for a request of the JSON API, or of the XML API, which the Go client uses for downloads. Undefined for
 * requests about buckets, which the emulator answers.
 */
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
