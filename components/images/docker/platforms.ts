import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:http2";
import type { Duplex } from "node:stream";
import { BinaryReader } from "google-protobuf";
import { requestTarget } from "./engine.ts";

/**
 * Reads the platforms that an engine's BuildKit can run, natively or emulated, such as `linux/arm64`. The engine looks
 * for emulators at each request; current engines do so at most every 20 s.
 * @returns undefined if the engine does not answer.
 */
export async function enginePlatforms(
  address: string,
  milliseconds = 10_000,
): Promise<readonly string[] | undefined> {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    return readPlatforms(await listWorkers(await upgrade(address, signal), signal));
  } catch {
    return undefined;
  }
}

/** Opens the engine's connection to BuildKit: HTTP/1.1 upgraded to HTTP/2. */
async function upgrade(address: string, signal: AbortSignal): Promise<Duplex> {
  const target = requestTarget(address);
  if (target === undefined) throw new Error("only a socket or a plain TCP port can be asked");
  const headers = { Host: "docker", Connection: "Upgrade", Upgrade: "h2c" };
  const asked = request({ ...target, method: "POST", path: "/grpc", headers, agent: false, signal });
  asked.on("response", (response) => asked.destroy(new Error(`status ${response.statusCode ?? 0}`)));
  asked.end();
  const [, socket, head] = (await once(asked, "upgrade", { signal })) as [unknown, Duplex, Buffer];
  // The engine's answer can contain the first bytes of BuildKit.
  socket.unshift(head);
  return socket;
}

/** Calls `ListWorkers` of moby/buildkit's `api/services/control/control.proto`; its request is an empty message. */
async function listWorkers(socket: Duplex, signal: AbortSignal): Promise<Buffer> {
  const session = connect("http://docker", { createConnection: () => socket });
  try {
    const call = session.request({
      ":method": "POST",
      ":path": "/moby.buildkit.v1.Control/ListWorkers",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const failed = Promise.race([once(session, "error", { signal }), once(call, "error", { signal })]);
    call.end(Buffer.alloc(PREFIX));
    const answer = (async () => Buffer.concat(await call.toArray({ signal })))();
    return await Promise.race([answer, failed.then(([error]) => Promise.reject(error as Error))]);
  } finally {
    session.destroy();
    socket.destroy();
  }
}

/** Length of gRPC's message prefix: a byte for compression, four for the length. */
const PREFIX = 5;

/** Reads `ListWorkersResponse { record = 1 { platforms = 3 { Architecture = 1, OS = 2, Variant = 3 } } }`. */
function readPlatforms(answer: Buffer): string[] {
  if (answer.length < PREFIX) throw new Error("no answer");
  const found: string[] = [];
  const each = (reader: BinaryReader, field: number, read: (inner: BinaryReader) => void) => {
    while (reader.nextField()) {
      if (reader.getFieldNumber() === field) {
        reader.readMessage({}, (_, inner: BinaryReader) => {
          read(inner);
        });
      } else reader.skipField();
    }
  };
  each(new BinaryReader(answer.subarray(PREFIX)), 1, (record) => {
    each(record, 3, (platform) => {
      const parts = ["", "", ""];
      while (platform.nextField()) {
        const part = { 1: 1, 2: 0, 3: 2 }[platform.getFieldNumber()];
        if (part === undefined) platform.skipField();
        else parts[part] = platform.readString();
      }
      found.push(parts.filter((part) => part !== "").join("/"));
    });
  });
  return found;
}
