import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { faultSchema, isRegistryFault } from "../emulator/support/faults/fault.ts";
import { Faults } from "../emulator/support/faults/faults.ts";
import { sandboxPaths } from "../lib/paths.ts";
import { send as sendHttp } from "../lib/http.ts";
import { writeTestKeys } from "../emulator/testing/keys.ts";
import { listen } from "../../test/support/listen.ts";
import { registryProxy } from "./registry-proxy.ts";

let folder: string;
let upstream: Server;
let proxy: Server;
let port: number;
let certificate: string;
let faults: Faults;
/** Requests that reached the registry: their bytes, and whether they were complete. */
let reached: { line: string; bytes: number; whole: boolean }[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hyperion-proxy-"));
  const paths = sandboxPaths(folder);
  await writeTestKeys(folder);
  certificate = await readFile(paths.certificate, "utf8");
  upstream = createServer((request, response) => {
    const seen = { line: `${request.method ?? ""} ${request.url ?? ""}`, bytes: 0, whole: false };
    reached.push(seen);
    request.on("data", (chunk: Buffer) => (seen.bytes += chunk.length));
    request.on("error", () => undefined);
    request.on("end", () => {
      seen.whole = true;
      response.writeHead(202, {
        location: `${String(request.headers["x-forwarded-proto"])}://${request.headers.host ?? ""}/next`,
      });
      response.end();
    });
  });
  faults = new Faults(join(folder, "faults.json"));
  proxy = registryProxy({
    key: await readFile(paths.key, "utf8"),
    certificate,
    upstreamPort: await listen(upstream),
    takeFault: (method, path) => faults.takeRegistry(method, path),
  });
  port = await listen(proxy);
});

afterAll(async () => {
  proxy.close();
  upstream.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  reached = [];
  faults.clear();
});

async function send(method: string, path: string, body: Buffer) {
  const headers = { host: "localhost:5000" };
  const url = new URL(path, `https://127.0.0.1:${port}`);
  const response = await sendHttp({ method, url, headers, body, ca: certificate });
  const { status, body: text, headers: answered } = response;
  return { status, text, location: answered.location };
}

const upload = "/v2/p/r/hyperion-ui/blobs/uploads/0815?_state=x";
const layer = Buffer.alloc(1_000_000);

test("forwards requests without a fault, with the address that the client used", async () => {
  faults.add(faultSchema.parse({ kind: "registry-cut", route: "*/hyperion-http-bridge/*" }));
  faults.add(faultSchema.parse({ kind: "status", status: 500 }));
  expect(await send("PATCH", upload, layer)).toEqual({
    status: 202,
    text: "",
    location: "https://localhost:5000/next",
  });
  expect(reached).toEqual([{ line: `PATCH ${upload}`, bytes: 1_000_000, whole: true }]);
});

test("answers an upload with an error, for the requested number of times", async () => {
  faults.add(faultSchema.parse({ kind: "registry-status", status: 503, afterBytes: 100_000 }));
  expect(await send("POST", upload, layer)).toMatchObject({ status: 202 });
  expect(await send("PATCH", upload, layer)).toEqual({
    status: 503,
    text: '{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{}}]}',
  });
  expect(await send("PATCH", upload, layer)).toMatchObject({ status: 202 });
  expect(reached.map(({ whole }) => whole)).toEqual([true, false, true]);
});

test("breaks the connection during an upload", async () => {
  faults.add(faultSchema.parse({ kind: "registry-cut" }));
  await expect(send("PATCH", upload, layer)).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
  expect(reached[0]?.whole ?? false).toBe(false);
});

test("the emulated APIs ignore faults of the registry", () => {
  faults.add(faultSchema.parse({ kind: "registry-cut", method: "*", route: "*" }));
  expect(faults.take("GET", "/v1/projects", "v1/projects")).toEqual({});
  expect(faults.all().filter(isRegistryFault)).toHaveLength(1);
});
