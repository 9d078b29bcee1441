import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createPlainServer, type Server } from "node:net";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listen } from "../../../test/support/listen.ts";
import { useScratch } from "../../../test/support/scratch.ts";
import { dockerEngineProblem } from "./check-engine.ts";

/** The home of somebody whose machine has no engine of its own but those that a test starts. */
const home = useScratch();
let servers: Server[];

beforeEach(() => {
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await stop(server);
});

const stop = (server: Server) => new Promise((resolve) => server.close(resolve));

/** An engine as far as it is asked; listens below the home. */
async function engine(socket: string, status = 200): Promise<{ address: string; server: Server }> {
  const file = home.path(socket);
  mkdirSync(path.dirname(file), { recursive: true });
  const server = createServer(({ url }, response) => {
    response.writeHead(url === "/_ping" ? status : 404).end("OK");
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  servers.push(server);
  return { address: `unix://${file}`, server };
}

/** A port that takes connections, as one of an engine with certificates does. */
async function tcpPort(): Promise<string> {
  const server = createPlainServer();
  servers.push(server);
  return `tcp://127.0.0.1:${await listen(server)}`;
}

function context(name: string, host: string): void {
  const hash = createHash("sha256").update(name).digest("hex");
  const meta = { Name: name, Metadata: {}, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } };
  home.write(`.docker/contexts/meta/${hash}/meta.json`, JSON.stringify(meta));
}

const useContext = (currentContext: string): void => {
  home.write(".docker/config.json", JSON.stringify({ currentContext }));
};

const problem = (variables: NodeJS.ProcessEnv = {}) =>
  dockerEngineProblem({ HOME: home.folder, XDG_RUNTIME_DIR: home.path("run"), ...variables });

/** Where the plugin looks without DOCKER_HOST; the first is the machine's own, which no test starts. */
const usual = () =>
  [
    "unix:///var/run/docker.sock",
    `unix://${home.folder}/.docker/run/docker.sock`,
    `unix://${home.folder}/.docker/desktop/docker.sock`,
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
    expect(await problem({ DOCKER_HOST: await tcpPort() })).toBeUndefined();
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
    const address = await tcpPort();
    context("office", address);
    const hash = createHash("sha256").update("office").digest("hex");
    const certificates = path.dirname(home.write(`.docker/contexts/tls/${hash}/docker/ca.pem`));
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
