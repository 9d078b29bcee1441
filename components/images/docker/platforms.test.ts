import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Duplex } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { listen } from "../../../test/support/listen.ts";
import { enginePlatforms } from "./platforms.ts";

/** Answer of Debian's engine 20.10.24 to ListWorkers. */
const ANSWER = Buffer.from("AAAAACYKJAoEbW9ieRoOCgVhbWQ2NBIFbGludXgaDAoDMzg2EgVsaW51eA==", "base64");
/**
 * A part of what a current engine answered: a worker with an id, a label and two platforms, one with a variant, a policy
 * of its garbage collector.
 */
const CURRENT = Buffer.from(
  "AAAAAH0KewoZdmdod2lpOGNranpndmplaXNjdHp3a3U5MhIvCidvcmcubW9ieXByb2plY3QuYnVpbGRraXQud29ya2VyLm5ldHdvcmsSBGhvc3QaDgoFYW1kNjQSBWxpbnV4GhIKBWFtZDY0EgVsaW51eBoCdjIiCRCAgJCA0oGYCQ==",
  "base64",
);

let stop: (() => void)[] = [];

afterEach(() => {
  for (const one of stop) one();
  stop = [];
});

/** Starts an engine whose BuildKit returns an answer; without one, the engine has no BuildKit. */
async function engine(answer: Buffer | undefined): Promise<string> {
  const buildKit = createHttp2Server();
  buildKit.on("stream", (stream, headers) => {
    const known = headers[":path"] === "/moby.buildkit.v1.Control/ListWorkers" && answer !== undefined;
    stream.respond({ "content-type": "application/grpc", ...(!known && { "grpc-status": "12" }) });
    stream.end(known ? answer : undefined);
  });
  const server = createServer((_, response) => response.writeHead(404).end());
  server.on("upgrade", ({ url }, socket: Duplex) => {
    if (url !== "/grpc") return socket.destroy();
    socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    return buildKit.emit("connection", socket);
  });
  stop.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `tcp://127.0.0.1:${await listen(server)}`;
}

test.each([
  ["20.10", ANSWER, ["linux/amd64", "linux/386"]],
  ["current", CURRENT, ["linux/amd64", "linux/amd64/v2"]],
] as const)("the platforms of an engine, %s", async (_, answer, platforms) => {
  expect(await enginePlatforms(await engine(answer))).toEqual(platforms);
});

test("returns nothing for an engine without BuildKit, no engine, and an engine over SSH", async () => {
  expect(await enginePlatforms(await engine(undefined))).toBeUndefined();
  const server = createServer((_, response) => response.writeHead(404).end());
  stop.push(() => server.close());
  expect(await enginePlatforms(`tcp://127.0.0.1:${await listen(server)}`)).toBeUndefined();
  expect(await enginePlatforms("unix:///nowhere.sock")).toBeUndefined();
  expect(await enginePlatforms("ssh://somewhere")).toBeUndefined();
});
