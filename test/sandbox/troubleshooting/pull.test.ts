import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mintAccessToken, MAINTAINER } from "../../../sandbox/lib/tokens.ts";
import { ensureCompose } from "../../../sandbox/machine/install-compose.ts";
import { sandboxPaths, shortName } from "../../../sandbox/lib/paths.ts";
import { ensureOwnEngine, ownEngineHost, stopOwnEngine } from "../../../sandbox/machine/engine/own-engine.ts";
import { fakeInfrastructure } from "../../support/infrastructure.ts";
import { listen } from "../../support/listen.ts";
import { failed, stdoutOf } from "../../support/outcome.ts";
import type { Outcome } from "../../support/sandbox.ts";
import { useSandbox } from "../../support/shared-sandbox.ts";
import { dockerConfig, entriesOf, expectMessage } from "./document.ts";

/** An ELF header for a processor (EM_AARCH64, EM_RISCV) that is not this machine's. */
const FOREIGN_PROGRAM = Buffer.alloc(64);
FOREIGN_PROGRAM.write("\x7fELF\x02\x01\x01", "latin1");
FOREIGN_PROGRAM.writeUInt16LE(2, 16);
FOREIGN_PROGRAM.writeUInt16LE(process.arch === "arm64" ? 243 : 183, 18);

const entries = entriesOf("Pull and run Hyperion");

const sandbox = useSandbox();
let composeCommand: string;
let image: string;
/** Variables with other names for the fakes of the infrastructure. */
let fakes: Record<string, string>;

beforeAll(async () => {
  composeCommand = await ensureCompose(console.log);
  image = `${sandbox.registry}/hyperion-ui:latest`;
  fakes = await fakeInfrastructure((...args) => expectSuccess(sandbox.docker(...args)));
});

afterAll(async () => {
  await compose(["down", "--volumes", "--timeout", "2"]);
});

/** Runs Compose as the maintainer, without the settings in this checkout's `.env`. */
const compose = (args: string[], variables: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  sandbox.command(composeCommand, args, {
    COMPOSE_DISABLE_ENV_FILE: "true",
    // Never "hyperion", which on the user's engine can be a Hyperion with data.
    COMPOSE_PROJECT_NAME: `hyperion-test-${shortName(sandbox.root)}`,
    HYPERION_REGISTRY: sandbox.registry,
    HYPERION_RESTART: "no",
    ...variables,
  });

/** Waits for a command that has to fail; returns its output. */
const expectFailure = async (outcome: Promise<Outcome>) => failed(await outcome);
const expectSuccess = async (outcome: Promise<Outcome>) => stdoutOf(await outcome);

/** The host of the registry, under which Docker keeps a login. */
const host = (): string => sandbox.registry.replace(/\/.*/, "");

/** Runs `docker compose pull` with this text as `docker-credential-gcloud`, or without that helper. */
async function pullByGcloud(helper?: string): Promise<string> {
  const bin = await mkdtemp(join(sandbox.scratch, "bin-"));
  if (helper !== undefined) {
    await writeFile(join(bin, "docker-credential-gcloud"), helper);
    await chmod(join(bin, "docker-credential-gcloud"), 0o755);
  }
  return expectFailure(
    compose(["pull", "hyperion-ui"], {
      DOCKER_CONFIG: await dockerConfig(sandbox, { credHelpers: { [host()]: "gcloud" } }),
      PATH: bin,
    }),
  );
}

async function build(name: string, dockerfile: string): Promise<string> {
  const context = await mkdtemp(join(sandbox.scratch, "context-"));
  await writeFile(join(context, "Dockerfile"), dockerfile);
  await writeFile(join(context, "program"), FOREIGN_PROGRAM);
  await chmod(join(context, "program"), 0o755);
  const tag = `hyperion-test-${shortName(sandbox.root)}-${name}`;
  await expectSuccess(sandbox.docker("build", "--tag", tag, context));
  return tag;
}

/** Builds an image whose program exits at once with this code. */
const buildExiting = (code: number): Promise<string> =>
  build(
    `ends-${code}`,
    `FROM hyperion-sandbox-base:24-$TARGETARCH\nENTRYPOINT ["node", "--eval", "process.exit(${code})"]\n`,
  );

/** Pulls the image of MongoDB from this server; returns the output of Compose. */
async function pullFrom(server: Server, host: string): Promise<string> {
  const port = await listen(server, host);
  try {
    return await expectFailure(compose(["pull", "mongodb"], { MONGODB_IMAGE: `${host}:${port}/mongo:7.0` }));
  } finally {
    server.close();
  }
}

/** Runs `docker pull` on an engine with a disk of 24 MB. */
async function pullToFullDisk(): Promise<string> {
  const paths = sandboxPaths(join(sandbox.scratch, "full"));
  await mkdir(paths.root);
  await expectSuccess(sandbox.command("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", paths.root]));
  try {
    for (const folder of [paths.docker, paths.run, paths.logs]) await mkdir(folder);
    await ensureOwnEngine(paths);
    // Node.js alone is larger than that.
    const large = `${sandbox.registry}/hyperion-coordinator-mcp:latest`;
    return await expectFailure(
      sandbox.command("docker", ["pull", large], { DOCKER_HOST: ownEngineHost(paths) }),
    );
  } finally {
    await stopOwnEngine(paths);
    await expectSuccess(sandbox.command("umount", [paths.root]));
  }
}

/** By heading of an entry, a function that provokes its message and returns the output. */
const provocations: Readonly<Record<string, () => Promise<string>>> = {
  "The pull is denied": async () => {
    const dana = { HYPERION_SANDBOX_PRINCIPAL: "user:dana@example.com" };
    const anonymous = await expectFailure(sandbox.anonymousDocker("pull", image));
    const noReader = await expectFailure(sandbox.command("docker", ["pull", image], dana));
    const byCompose = await expectFailure(compose(["pull", "hyperion-ui"], dana));
    expectMessage(entries.get("The pull is denied") ?? "", noReader);
    expectMessage(entries.get("The pull is denied") ?? "", byCompose);
    return anonymous;
  },
  "The login has expired": async () => {
    const token = await mintAccessToken(sandbox.root, MAINTAINER, -1);
    const auth = Buffer.from(`oauth2accesstoken:${token}`).toString("base64");
    const DOCKER_CONFIG = await dockerConfig(sandbox, { auths: { [host()]: { auth } } });
    const output = await expectFailure(sandbox.command("docker", ["pull", image], { DOCKER_CONFIG }));
    await expectSuccess(sandbox.command("docker", ["logout", host()], { DOCKER_CONFIG }));
    expect(await expectFailure(sandbox.command("docker", ["pull", image], { DOCKER_CONFIG }))).toContain(
      'Permission "artifactregistry.repositories.downloadArtifacts" denied',
    );
    return output;
  },
  "The image or tag does not exist": async () => {
    const noImage = await expectFailure(sandbox.docker("pull", `${sandbox.registry}/hyperion-iu:latest`));
    expectMessage(entries.get("The image or tag does not exist") ?? "", noImage);
    return expectFailure(compose(["pull", "hyperion-ui"], { HYPERION_TAG: "9.9.9" }));
  },
  "The image name is malformed": async () => {
    const HYPERION_REGISTRY = `https://${sandbox.registry}`;
    const check = await expectFailure(
      sandbox.command("scripts/check-compose.sh", [sandbox.scratch], {
        HYPERION_REGISTRY,
        HOME: sandbox.scratch,
      }),
    );
    expect(check).toContain(`export HYPERION_REGISTRY=${sandbox.registry}`);
    return expectFailure(compose(["up", "--detach", "--no-deps", "hyperion-ui"], { HYPERION_REGISTRY }));
  },
  "Docker Hub limits pulls": () => {
    const message =
      "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit";
    const limited = createHttpServer(({ url }, response) => {
      response.writeHead(url === "/v2/" ? 200 : 429, { "content-type": "application/json" });
      response.end(JSON.stringify({ errors: [{ code: "TOOMANYREQUESTS", message }] }));
    });
    return pullFrom(limited, "127.0.0.1");
  },
  "The proxy's certificate is not trusted": async () => {
    // Docker trusts loopback without a certificate.
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const { address = "" } = own.find(({ internal, family }) => !internal && family === "IPv4") ?? {};
    const altNames = [{ type: 7, ip: address }] as const;
    const { private: key, cert } = await generate([{ name: "commonName", value: "proxy" }], {
      extensions: [{ name: "subjectAltName", altNames: [...altNames] }],
    });
    return pullFrom(createHttpsServer({ key, cert }), address);
  },
  "The credential helper is missing": () => pullByGcloud(),
  "The credential helper fails": () => pullByGcloud("#!/bin/sh\necho 'no login' >&2\nexit 1\n"),
  "Docker is not running": () =>
    expectFailure(compose(["pull", "hyperion-ui"], { DOCKER_HOST: `unix://${sandbox.scratch}/none.sock` })),
  "The image is for another platform": () =>
    expectFailure(
      compose(["up", "--detach", "--no-deps", "hyperion-ui"], { HYPERION_PLATFORM: "linux/riscv64" }),
    ),
  "The image is for another processor": async () =>
    expectFailure(
      sandbox.docker(
        "run",
        "--rm",
        await build("foreign", 'FROM scratch\nCOPY program /program\nENTRYPOINT ["/program"]\n'),
      ),
    ),
  // A seccomp profile refuses what AppArmor refuses to Docker from snap.
  "Docker from snap cannot start a container": async () => {
    const profile = join(sandbox.scratch, "seccomp.json");
    const syscalls = [{ names: ["execve"], action: "SCMP_ACT_ERRNO" }];
    await writeFile(profile, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls }));
    const option = ["--security-opt", `seccomp=${profile}`];
    return expectFailure(sandbox.docker("run", "--rm", ...option, await buildExiting(0)));
  },
  "The code folder does not exist": async () => {
    const HYPERION_CODE = join(sandbox.scratch, "misspelt");
    return expectFailure(compose(["up", "--detach", "--no-deps", "hyperion-mcp-server"], { HYPERION_CODE }));
  },
  "MongoDB exits with code 132": async () => {
    const variables = { MONGODB_IMAGE: await buildExiting(132) };
    await expectFailure(compose(["up", "--detach", "--wait", "mongodb"], variables));
    return expectSuccess(compose(["ps", "--all"], variables));
  },
  "A port is in use": async () => {
    const server = createServer();
    const port = { HYPERION_UI_PORT: String(await listen(server)) };
    const up = ["up", "--detach", "--no-deps", "hyperion-ui"];
    const output = await expectFailure(compose(up, port));
    await new Promise((resolve) => server.close(resolve));
    await expectSuccess(compose(up, port));
    await expectSuccess(compose(["down", "--volumes", "--timeout", "2"]));
    return output;
  },
  "A service does not become healthy": async () => {
    const ends = await buildExiting(14);
    const images = { MONGODB_IMAGE: ends, QDRANT_IMAGE: ends, EMBEDDING_IMAGE: ends };
    const output = await expectFailure(compose(["up", "--detach", "--wait"], images));
    const containers = await expectSuccess(compose(["ps", "--all"], images));
    expect(containers).toContain("Exited (14)");
    // A service that needs it does not start.
    for (const service of ["hyperion-mcp-server", "hyperion-http-bridge", "hyperion-ui"])
      expect(containers).toMatch(new RegExp(`${service}-1 .* Created`));

    // The database is healthy, but refuses the login; the server reports that.
    const variables = { ...fakes, MONGODB_URI: "mongodb://hyperion:wrong@mongodb:27017/" };
    const up = ["up", "--detach", "--wait"];
    await expectSuccess(compose([...up, "mongodb"], variables));
    const named = await expectFailure(compose([...up, "--no-deps", "hyperion-mcp-server"], variables));
    expect(named).toMatch(/container \S+hyperion-mcp-server-1 exited/);
    expect(await expectSuccess(compose(["logs", "--tail", "20"], variables))).toContain("FATAL");
    return output;
  },
  "The model cannot be downloaded": async () => {
    const variables = { ...fakes, EMBEDDING_MODEL: "nomic-ai/misspelt" };
    const output = await expectFailure(compose(["up", "--detach", "--wait", "embedding-service"], variables));
    expect(output).toMatch(/container \S+embedding-service-1 exited/);
    return expectSuccess(compose(["logs", "embedding-service"], variables));
  },
  "The disk is full": pullToFullDisk,
};

test("provokes every entry", () => {
  expect(Object.keys(provocations)).toEqual([...entries.keys()]);
});

test.for(Object.entries(provocations))("%s", async ([heading, provoke], { skip }) => {
  skip(heading === "The disk is full" && process.getuid?.() !== 0, "only root can mount a disk");
  expectMessage(entries.get(heading) ?? "", await provoke());
});
