import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../../problems/wording.ts";

// The part of gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) that the engine and a plugin use: unary
// calls without compression. The gRPC library takes twice as long to load as the rest of a plugin.

/** A protobuf message of protoc's JavaScript code. */
export interface Message {
  serializeBinary(): Uint8Array;
}

/** Answers a call. */
export type Method = (request: Uint8Array) => Promise<Message>;

/** Methods by path: `/package.Service/Method`. */
export type Methods = Readonly<Record<string, Method>>;

/** The error of a call, with code UNKNOWN unless it has a status. */
export class CallError extends Error {
  /** A `google.rpc.Status` with details. */
  readonly status: Message | undefined;

  constructor(message: string, status?: Message) {
    super(message);
    this.status = status;
  }
}

const OK = 0;
const UNKNOWN = 2;
const UNIMPLEMENTED = 12;
const CONTENT_TYPE = { "content-type": "application/grpc" };
const PREFIX_BYTES = 5;

/**
 * Serves methods on a free port of loopback. Calls wait for the methods.
 *
 * @returns the port.
 */
export async function serveGrpc(methods: Methods | Promise<Methods>): Promise<number> {
  const server = createServer();
  server.on("stream", (stream, { ":path": path = "" }) => {
    stream.on("error", () => undefined);
    void received(stream).then(async (request) => {
      const method = (await methods)[path];
      if (method === undefined) fail(stream, UNIMPLEMENTED, `unknown method ${path}`);
      else await answer(stream, method, request);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function answer(stream: ServerHttp2Stream, method: Method, request: Uint8Array): Promise<void> {
  let response: Message;
  try {
    response = await method(request);
  } catch (error) {
    const status = error instanceof CallError ? error.status : undefined;
    fail(stream, UNKNOWN, messageOf(error), status);
    return;
  }
  if (stream.destroyed) return;
  stream.respond({ ":status": 200, ...CONTENT_TYPE }, { waitForTrailers: true });
  stream.on("wantTrailers", () => {
    stream.sendTrailers({ "grpc-status": String(OK) });
  });
  stream.end(framed(response));
}

function fail(stream: ServerHttp2Stream, code: number, message: string, status?: Message): void {
  if (stream.destroyed) return;
  const headers = {
    ":status": 200,
    ...CONTENT_TYPE,
    "grpc-status": String(code),
    "grpc-message": encodeURIComponent(message),
    ...(status && { "grpc-status-details-bin": Buffer.from(status.serializeBinary()).toString("base64") }),
  };
  stream.respond(headers, { endStream: true });
}

/** Calls methods and ignores the answers. */
export class GrpcClient {
  private readonly address: string;
  private session: ClientHttp2Session | undefined;

  /** @param address `HOST:PORT`. */
  constructor(address: string) {
    this.address = address;
  }

  /** Resolves when the server has answered or closed the connection. */
  call(path: string, request: Message): Promise<void> {
    if (this.session === undefined || this.session.destroyed) {
      this.session = connect(`http://${this.address}`);
      this.session.on("error", () => undefined);
    }
    const stream = this.session.request({
      ":method": "POST",
      ":path": path,
      te: "trailers",
      ...CONTENT_TYPE,
    });
    stream.on("error", () => undefined);
    stream.resume();
    stream.end(framed(request));
    return new Promise((resolve) => {
      stream.once("close", resolve);
    });
  }
}

/** A frame: a zero (no compression), the length, the message. */
function framed(message: Message): Buffer {
  const bytes = message.serializeBinary();
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

async function received(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).subarray(PREFIX_BYTES);
}
