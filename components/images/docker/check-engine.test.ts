import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:net";
import * as path from "node:path";
import { generate } from "selfsigned";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listen } from "../../../test/support/listen.ts";
import { runCommand } from "../../../test/support/sandbox.ts";
import { useScratch } from "../../../test/support/scratch.ts";
import { checkEngine } from "./check-engine.ts";

/** A home folder without an engine, except those that a test starts. */
const home = useScratch();
let servers: Server[];

beforeEach(() => {
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await stop(server);
});

const stop = (server: Server) => new Promise((resolve) => server.close(resolve));

/** Answers of Debian's engine, and of a current one with containerd's store. */
const CLASSIC = { ServerVersion: "20.10.24+dfsg1", OSType: "linux", DriverStatus: [["userxattr", "false"]] };
const CONTAINERD = {
  ServerVersion: "29.0.0",
  OSType: "linux",
  DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]],
};

/** Starts an engine that answers the requests of the check, on a socket below the home folder. */
async function engine(
  socket: string,
  status = 200,
  info: object = CLASSIC,
): Promise<{ address: string; server: Server }> {
  const file = home.path(socket);
  mkdirSync(path.dirname(file), { recursive: true });
  const server = createServer(({ url }, response) => {
    const body = { "/_ping": "OK", "/info": JSON.stringify(info) }[url ?? ""];
    response.writeHead(body === undefined ? 404 : status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  servers.push(server);
  return { address: `unix://${file}`, server };
}

/** Opens a port that accepts connections, like an engine that requires a certificate. */
async function tcpPort(): Promise<string> {
  // The answer of Go's TLS servers to plain HTTP.
  const server = createServer((_, response) => response.writeHead(400).end());
  servers.push(server);
  return `tcp://127.0.0.1:${await listen(server)}`;
}

/** Environment variables with that home folder. */
const shell = (variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: home.folder,
  ...variables,
});

async function docker(...args: string[]): Promise<void> {
  const { code, output } = await runCommand("docker", args, shell());
  expect(code, output).toBe(0);
}

const problem = async (variables: NodeJS.ProcessEnv = {}) => {
  const { problems, warnings, address } = await checkEngine(shell(variables));
  expect(warnings).toEqual([]);
  expect(problems.length, JSON.stringify(problems)).toBe(address === undefined ? 1 : 0);
  return problems[0];
};

/** Where the plugin looks without DOCKER_HOST. No test starts an engine at the first address. */
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

  test("at DOCKER_HOST, until it stops", async () => {
    const { address, server } = await engine("docker.sock");
    expect(await problem({ DOCKER_HOST: address })).toBeUndefined();
    await stop(server);
    servers = [];
    expect(await problem({ DOCKER_HOST: address })).toEqual({
      where: `DOCKER_HOST=${address}`,
      found: `no engine listens at ${address}`,
      allowed: "a running Docker engine, which builds the images",
      fix: "start Docker, or provision without building: npm run pulumi -- config set hyperion-registry:publishImages false",
    });
  });

  test("accepts a TCP port that accepts connections, because the engine may require a certificate", async () => {
    const open = await tcpPort();
    expect(await checkEngine(shell({ DOCKER_HOST: open }))).toMatchObject({
      address: open,
      problems: [],
      warnings: [{ found: `an engine at ${open}, whose version and image store cannot be read` }],
    });
    expect(await problem({ DOCKER_HOST: "tcp://127.0.0.1:9" })).toMatchObject({
      where: "DOCKER_HOST=tcp://127.0.0.1:9",
    });
  });

  test("accepts an engine over SSH without a request", async () => {
    expect(await checkEngine(shell({ DOCKER_HOST: "ssh://somewhere" }))).toEqual({
      address: "ssh://somewhere",
      problems: [],
      warnings: [
        {
          where: "DOCKER_HOST=ssh://somewhere",
          found: "an engine at ssh://somewhere, whose version and image store cannot be read",
          allowed:
            "Docker 27.5.0 or later, if it uses containerd's image store: a build fails on an older one",
          fix: "docker info",
        },
      ],
    });
  });
});

describe("an engine that the plugin finds and cannot build with", () => {
  const check = async (info: object) => {
    const { address } = await engine("docker.sock", 200, info);
    const { problems, warnings } = await checkEngine(shell({ DOCKER_HOST: address }));
    expect(warnings).toEqual([]);
    return problems.map(({ found, fix }) => [found, fix]);
  };

  test.each([
    ["27.4.1", CONTAINERD],
    ["26.0.0-rd", CONTAINERD],
  ])("Docker %s with containerd's store", async (version, info) => {
    expect(await check({ ...info, ServerVersion: version })).toEqual([
      [
        `Docker ${version} with containerd's image store: a build would fail with "failed to read downloaded context ... 403"`,
        'update Docker; or set "features": {"containerd-snapshotter": false} in its daemon.json and restart it',
      ],
    ]);
  });

  test.each([
    ["27.5.0", CONTAINERD],
    ["29.0.0", CONTAINERD],
    ["dev", CONTAINERD],
    ["20.10.24+dfsg1", CLASSIC],
    ["27.4.1", { ...CLASSIC, DriverStatus: null }],
  ])("not Docker %s with %j", async (version, info) => {
    expect(await check({ ...info, ServerVersion: version })).toEqual([]);
  });

  test("an engine for Windows containers", async () => {
    expect(await check({ ...CLASSIC, OSType: "windows" })).toMatchObject([
      ["an engine for windows containers", "in Docker Desktop's menu: Switch to Linux containers"],
    ]);
  });
});

const hasDocker = process.env["PATH"]?.split(path.delimiter).some((folder) => existsSync(`${folder}/docker`));

describe.skipIf(hasDocker !== true)("an engine that the docker command knows and the plugin does not", () => {
  test("is the engine of its context, by configuration or DOCKER_CONTEXT", async () => {
    const { address } = await engine("my engine.sock");
    await docker("context", "create", "colima-work", "--docker", `host=${address}`);
    const expected = {
      found: `no engine listens at ${usual()}; the docker command's context colima-work has one at ${address}`,
      fix: `export DOCKER_HOST='${address}'`,
    };
    expect(await problem({ DOCKER_CONTEXT: "colima-work" })).toMatchObject(expected);
    await docker("context", "use", "colima-work");
    expect(await problem()).toMatchObject(expected);
    expect(await problem({ DOCKER_HOST: "unix:///nowhere.sock" })).toMatchObject({ fix: expected.fix });
    expect(await problem({ DOCKER_HOST: address })).toBeUndefined();
  });

  test("is reported with its certificates", async () => {
    const address = await tcpPort();
    const ca = home.write("ca.pem", (await generate([{ name: "commonName", value: "office" }])).cert);
    await docker("context", "create", "office", "--docker", `host=${address},ca=${ca}`);
    const { fix = "" } = (await problem({ DOCKER_CONTEXT: "office" })) ?? {};
    const [, folder = ""] =
      new RegExp(`^export DOCKER_HOST=${address} DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=(.*)$`).exec(fix) ?? [];
    expect(existsSync(path.join(folder, "ca.pem")), fix).toBe(true);
  });

  test("is none if it answers with an error, or if its context does not exist", async () => {
    const { address } = await engine("run/docker.sock", 500);
    await docker("context", "create", "broken", "--docker", `host=${address}`);
    const fix = expect.stringMatching(/^start Docker/) as string;
    expect(await problem({ DOCKER_CONTEXT: "broken" })).toMatchObject({ fix });
    expect(await problem({ DOCKER_CONTEXT: "nowhere" })).toMatchObject({ fix });
  });
});
