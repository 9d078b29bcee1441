import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createPlainServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dockerEngineProblem } from "./check-engine.ts";

/** The home of somebody whose machine has no engine of its own but those that a test starts. */
let home: string;
let servers: Server[];

beforeEach(() => {
  // Short: a socket's path holds a hundred bytes or so.
  home = mkdtempSync(path.join(tmpdir(), "eng-"));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await stop(server);
  rmSync(home, { recursive: true });
});

const stop = (server: Server) => new Promise((resolve) => server.close(resolve));

/** An engine as far as it is asked; listens below the home. */
async function engine(socket: string, status = 200): Promise<{ address: string; server: Server }> {
  const file = path.join(home, socket);
  mkdirSync(path.dirname(file), { recursive: true });
  const server = createServer(({ url }, response) => {
    response.writeHead(url === "/_ping" ? status : 404).end("OK");
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  servers.push(server);
  return { address: `unix://${file}`, server };
}

function context(name: string, host: string): void {
  const hash = createHash("sha256").update(name).digest("hex");
  const folder = path.join(home, ".docker/contexts/meta", hash);
  mkdirSync(folder, { recursive: true });
  const meta = { Name: name, Metadata: {}, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } };
  writeFileSync(path.join(folder, "meta.json"), JSON.stringify(meta));
}

const useContext = (currentContext: string): void => {
  writeFileSync(path.join(home, ".docker/config.json"), JSON.stringify({ currentContext }));
};

const problem = (variables: NodeJS.ProcessEnv = {}) =>
  dockerEngineProblem({ HOME: home, XDG_RUNTIME_DIR: path.join(home, "run"), ...variables });

/** Where the plugin looks without DOCKER_HOST; the first is the machine's own, which no test starts. */
const usual = () =>
  [
    "unix:///var/run/docker.sock",
    `unix://${home}/.docker/run/docker.sock`,
    `unix://${home}/.docker/desktop/docker.sock`,
  ].join(" or ");

describe("an engine that the plugin finds", () => {
  test.each([".docker/run/docker.sock", ".docker/desktop/docker.sock"])("at ~/%s", async (socket) => {
    await engine(socket);
    expect(await problem()).toBeUndefined();
  });

  test("at DOCKER_HOST, and no longer once it is stopped", async () => {
    const { address, server } = await engine("docker.sock");
    expect(await problem({ DOCKER_HOST: address })).toBeUndefined();
    await stop(server);
    servers = [];
    expect(await problem({ DOCKER_HOST: address })).toEqual({
      where: `DOCKER_HOST=${address}`,
      found: `no engine listens at ${address}`,
      allowed: "a running Docker engine, which builds the images",
      fix: "start Docker, or provision without building: pulumi config set hyperion-registry:publishImages false",
    });
  });

  test("a TCP port that takes a connection may want a certificate, and one that takes none is no engine", async () => {
    const server = createPlainServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    const listening = server.address();
    const port = typeof listening === "object" ? listening?.port : undefined;
    expect(await problem({ DOCKER_HOST: `tcp://127.0.0.1:${port}` })).toBeUndefined();
    expect(await problem({ DOCKER_HOST: "tcp://127.0.0.1:9" })).toMatchObject({
      where: "DOCKER_HOST=tcp://127.0.0.1:9",
    });
  });

  test("over ssh is the plugin's to try", async () => {
    expect(await problem({ DOCKER_HOST: "ssh://somewhere" })).toBeUndefined();
  });
});

describe("an engine that the plugin does not look for", () => {
  test.each([
    "run/docker.sock",
    ".colima/default/docker.sock",
    "run/podman/podman.sock",
    ".local/share/containers/podman/machine/podman.sock",
  ])("at %s is told with the line that leads to it", async (socket) => {
    const { address } = await engine(socket);
    expect(await problem()).toEqual({
      where: "Docker engine",
      found: `no engine listens at ${usual()}; one listens at ${address}`,
      allowed: "a running Docker engine, which builds the images",
      fix: `export DOCKER_HOST=${address}`,
    });
    expect(await problem({ DOCKER_HOST: address })).toBeUndefined();
  });

  test("of the docker command's context, by configuration or DOCKER_CONTEXT, comes first", async () => {
    await engine("run/docker.sock");
    const { address } = await engine("my engine.sock");
    context("colima-work", address);
    const told = {
      found: `no engine listens at ${usual()}; the docker command's context colima-work has one at ${address}`,
      fix: `export DOCKER_HOST='${address}'`,
    };
    expect(await problem({ DOCKER_CONTEXT: "colima-work" })).toMatchObject(told);
    useContext("colima-work");
    expect(await problem()).toMatchObject(told);
  });

  test("of a context with certificates is told with them", async () => {
    const server = createPlainServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    const listening = server.address();
    const address = `tcp://127.0.0.1:${typeof listening === "object" ? listening?.port : ""}`;
    context("office", address);
    const hash = createHash("sha256").update("office").digest("hex");
    const certificates = path.join(home, ".docker/contexts/tls", hash, "docker");
    mkdirSync(certificates, { recursive: true });
    writeFileSync(path.join(certificates, "ca.pem"), "");
    expect((await problem({ DOCKER_CONTEXT: "office" }))?.fix).toBe(
      `export DOCKER_HOST=${address} DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=${certificates}`,
    );
  });

  test("is found too where DOCKER_HOST leads nowhere", async () => {
    const { address } = await engine(".docker/run/docker.sock");
    expect((await problem({ DOCKER_HOST: "unix:///nowhere.sock" }))?.fix).toBe(
      `export DOCKER_HOST=${address}`,
    );
  });

  test("is none when it answers that it cannot serve, or when its context does not exist", async () => {
    const { address } = await engine("run/docker.sock", 500);
    context("broken", address);
    const fix = expect.stringMatching(/^start Docker/) as string;
    expect(await problem({ DOCKER_CONTEXT: "broken" })).toMatchObject({ fix });
    expect(await problem({ DOCKER_CONTEXT: "nowhere" })).toMatchObject({ fix });
  });
});
