import { createServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Engine } from "./engine.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const NAME = "localhost:5001/p/r/i";
const auth = { address: "localhost:5001", username: "u", password: "p?>>" };
const { signal } = new AbortController();

let folder: string;
let asked: IncomingMessage[];
let answer: { status: number; body: string };

const server = createServer((request, response) => {
  asked.push(request);
  response.writeHead(answer.status).end(answer.body);
});

beforeEach(() => {
  asked = [];
  folder = mkdtempSync(join(tmpdir(), "hyp-engine-"));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  rmSync(folder, { recursive: true });
});

/** An engine that gives this answer to everything. */
async function engine(status: number, body: string): Promise<Engine> {
  answer = { status, body };
  const socket = join(folder, "docker.sock");
  server.listen(socket);
  await once(server, "listening");
  return new Engine(`unix://${socket}`);
}

const requests = () => asked.map(({ method, url }) => `${method ?? ""} ${url ?? ""}`);

describe("an engine", () => {
  it("tells what it knows of an image", async () => {
    expect(await (await engine(200, '{"Id":"x"}')).inspect(`${NAME}@${DIGEST}`, signal)).toEqual({ Id: "x" });
    expect(requests()).toEqual([`GET /images/${NAME}@${DIGEST}/json`]);
  });

  it("tells that it has no such image", async () => {
    expect(await (await engine(404, '{"message":"No such image: x"}')).inspect(NAME, signal)).toBeUndefined();
  });

  it("is reached by TCP too", async () => {
    answer = { status: 200, body: '{"Id":"x"}' };
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(await new Engine(`tcp://127.0.0.1:${port}`).inspect(NAME, signal)).toEqual({ Id: "x" });
  });

  it("gives an image a second name", async () => {
    await (await engine(201, "")).tag(`${NAME}@${DIGEST}`, `${NAME}:1.4.2`, signal);
    expect(requests()).toEqual([
      `POST /images/${NAME}@${DIGEST}/tag?repo=${encodeURIComponent(NAME)}&tag=1.4.2`,
    ]);
  });

  it("pulls by digest, and pushes a name, with the login that it is given", async () => {
    const there = await engine(200, '{"status":"Pulling"}\r\n{"status":"Done"}\r\n');
    await there.pull(`${NAME}@${DIGEST}`, auth, signal);
    await there.push(`${NAME}:1.4`, auth, signal);
    expect(requests()).toEqual([
      `POST /images/create?fromImage=${encodeURIComponent(NAME)}&tag=${encodeURIComponent(DIGEST)}`,
      `POST /images/${NAME}/push?tag=1.4`,
    ]);
    const logins = asked.map(({ headers }) => String(headers["x-registry-auth"]));
    expect(logins[0]).toMatch(/^[\w-]+=*$/);
    expect(logins[0]?.length).toSatisfy((length: number) => length % 4 === 0);
    expect(logins.map((login) => JSON.parse(Buffer.from(login, "base64url").toString()) as unknown)).toEqual(
      Array(2).fill({ username: "u", password: "p?>>", serveraddress: "localhost:5001" }),
    );
  });

  it("sends a header without a login where there is none", async () => {
    await (await engine(200, "")).push(`${NAME}:1.4`, { address: "h", username: "", password: "" }, signal);
    expect(Buffer.from(String(asked[0]?.headers["x-registry-auth"]), "base64").toString()).toBe("{}");
  });

  it("says in the words of Docker's client what it refuses", async () => {
    const there = await engine(500, '{"message":"no space left"}');
    await expect(there.inspect(NAME, signal)).rejects.toThrow("Error response from daemon: no space left");
    await expect(there.tag(NAME, `${NAME}:1`, signal)).rejects.toThrow("daemon: no space left");
  });

  it("says what goes wrong on the way", async () => {
    const progress = ['{"status":"Preparing"}', '{"errorDetail":{"message":"denied"},"error":"denied"}'];
    const there = await engine(200, progress.join("\r\n"));
    await expect(there.push(`${NAME}:1`, auth, signal)).rejects.toThrow(/^denied$/);
    await expect(there.pull(`${NAME}@${DIGEST}`, auth, signal)).rejects.toThrow(/^denied$/);
  });

  it("that it cannot ask is told", async () => {
    server.listen(0);
    await expect(new Engine("ssh://me@there").inspect(NAME, signal)).rejects.toThrow("not at ssh://me@there");
  });
});
