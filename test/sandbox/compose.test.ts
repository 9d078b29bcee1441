/**
 * The compose files against a real engine and the sandbox's registry.
 *
 * Neither MongoDB nor Qdrant nor the embedding service is here: their images cannot be pulled in the sandbox. The
 * three services of Hyperion run without them (`--no-deps`), or beside fake providers that answer the same health checks.
 */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import getPort from "get-port";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import images from "../../images.json" with { type: "json" };
import { ensureCompose } from "../../sandbox/machine/install-compose.ts";
import { repositoryRoot, shortName } from "../../sandbox/lib/paths.ts";
import { type Sandbox, startSandbox } from "../support/sandbox.ts";

const run = promisify(execFile);

const HYPERION = ["hyperion-mcp-server", "hyperion-http-bridge", "hyperion-ui"];
const DEVELOPMENT = ["--file", "docker-compose.dev.yml"];

let sandbox: Sandbox;
let composeCommand: string;
let scratch: string;
let project: string;
let registry: string;
let ports: { HYPERION_UI_PORT: string; HYPERION_MCP_PORT: string; HYPERION_BRIDGE_PORT: string };

beforeAll(async () => {
  sandbox = await startSandbox();
  composeCommand = await ensureCompose(console.log);
  scratch = await mkdtemp(join(tmpdir(), "hyperion-compose-"));
  // Never "hyperion": on an engine of the user's that may be a Hyperion with data in it.
  project = `hyperion-test-${shortName(scratch)}`;
  const port = async () => String(await getPort());
  ports = {
    HYPERION_UI_PORT: await port(),
    HYPERION_MCP_PORT: await port(),
    HYPERION_BRIDGE_PORT: await port(),
  };
  registry = await sandbox.output("registryUrl");
});

afterEach(async () => {
  await compose(["down", "--volumes", "--remove-orphans", "--timeout", "2"]);
});

afterAll(async () => {
  await sandbox.stop();
  await rm(scratch, { recursive: true, force: true });
});

/** Runs Compose as somebody who never logged in, with none of the settings of this checkout's `.env`. */
async function compose(args: string[], variables: Record<string, string> = {}) {
  const env = {
    PATH: process.env["PATH"],
    HOME: scratch,
    DOCKER_HOST: sandbox.env["DOCKER_HOST"],
    DOCKER_CONFIG: join(scratch, "docker-config"),
    COMPOSE_DISABLE_ENV_FILE: "true",
    COMPOSE_PROJECT_NAME: project,
    HYPERION_REGISTRY: registry,
    ...ports,
    ...variables,
  };
  return run(composeCommand, args, { cwd: repositoryRoot, env }).then(
    ({ stdout, stderr }) => ({ ok: true, stdout, output: stdout + stderr }),
    (error: unknown) => {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      return { ok: false, stdout, output: stdout + stderr || String(error) };
    },
  );
}

async function composed(args: string[], variables: Record<string, string> = {}): Promise<string> {
  const { ok, stdout, output } = await compose(args, variables);
  if (!ok) throw new Error(`compose ${args.join(" ")}:\n${output}`);
  return stdout;
}

const url = (port: keyof typeof ports, path: string) => `http://127.0.0.1:${ports[port]}${path}`;
const get = async (port: keyof typeof ports, path = "/") => (await fetch(url(port, path))).text();

/** Until `condition` holds, for ten seconds. */
async function eventually(condition: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await condition().catch(() => false)) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

it.each([[[]], [DEVELOPMENT]])("needs no setting to be valid %j", async (files) => {
  await composed([...files, "config", "--quiet"]);
});

describe("docker-compose.yml, published images", () => {
  it("is refused by a registry that is not public, in the words that TROUBLESHOOTING explains", async () => {
    const { ok, output } = await compose(["pull", ...HYPERION]);
    expect(ok).toBe(false);
    expect(output).toContain('denied: Permission "artifactregistry.repositories.downloadArtifacts" denied');
  });

  describe("once the registry is public", () => {
    beforeAll(async () => {
      await sandbox.pulumi("config", "set", "hyperion-registry:publicAccess", "true");
      await sandbox.pulumi("config", "set", "hyperion-registry:version", "1.4.2");
      await sandbox.pulumi("up", "--yes", "--skip-preview");
    });

    it("pulls without a login and becomes healthy", async () => {
      await composed(["up", "--detach", "--wait", "--no-deps", "--pull", "always", ...HYPERION], {
        HYPERION_TAG: "1.4.2",
      });
      expect(await get("HYPERION_UI_PORT", "/health")).toContain("healthy");
      expect(await get("HYPERION_MCP_PORT", "/health")).toContain("healthy");
      // The bridge says what the MCP server's binary in its own image answered.
      expect(await get("HYPERION_BRIDGE_PORT", "/health")).toContain("Hyperion MCP server");
    });

    it("is pinned by a lock file that keeps the version beside the digest", async () => {
      const fakeProvider = `${registry}/hyperion-ui:1.4.2`;
      const locked = await composed(["config", "--lock-image-digests"], {
        HYPERION_TAG: "1.4.2",
        // The digests of the infrastructure cannot be asked for from here.
        MONGODB_IMAGE: fakeProvider,
        QDRANT_IMAGE: fakeProvider,
        EMBEDDING_IMAGE: fakeProvider,
      });
      const lock = parse(locked) as { services: Record<string, { image: string }> };
      const digests = await sandbox.output("images");
      for (const [index, name] of HYPERION.entries()) {
        const image = `${registry}/${String(images[index]?.name)}`;
        const [, digest = ""] = lock.services[name]?.image.split("@") ?? [];
        expect(lock.services[name]?.image).toBe(`${image}:1.4.2@${digest}`);
        expect(digests).toContain(`${image}@${digest}`);
      }

      const file = join(scratch, "docker-compose.lock.yml");
      await writeFile(file, locked);
      const files = ["--file", "docker-compose.yml", "--file", file];
      // Another version asked for changes nothing: the lock file decides.
      const other = { HYPERION_TAG: "9.9.9" };
      await composed([...files, "up", "--detach", "--wait", "--no-deps", ...HYPERION], other);
      expect(await get("HYPERION_UI_PORT", "/health")).toContain("healthy");
    });

    it("starts everything in order by health; the databases are in reach of Hyperion's servers only", async () => {
      const fakeProvider = await buildStandIn();
      await composed(["up", "--detach", "--wait"], {
        MONGODB_IMAGE: fakeProvider,
        QDRANT_IMAGE: fakeProvider,
        EMBEDDING_IMAGE: fakeProvider,
      });
      const started = async (service: string) => {
        const id = (await composed(["ps", "--quiet", service])).trim();
        return Date.parse(await docker("inspect", "--format", "{{.State.StartedAt}}", id));
      };
      for (const name of ["mongodb", "qdrant", "embedding-service"]) {
        expect(await started(name)).toBeLessThan(await started("hyperion-mcp-server"));
        expect(await started(name)).toBeLessThan(await started("hyperion-http-bridge"));
      }
      expect(await started("hyperion-http-bridge")).toBeLessThan(await started("hyperion-ui"));

      const reaches = (from: string, address: string) =>
        compose(["exec", from, "node", "-e", `fetch("http://${address}").catch(() => process.exit(1))`]);
      for (const address of ["mongodb:27017", "qdrant:6333"]) {
        expect(await reaches("hyperion-mcp-server", address)).toMatchObject({ ok: true });
        expect(await reaches("hyperion-http-bridge", address)).toMatchObject({ ok: true });
        expect(await reaches("hyperion-ui", address)).toMatchObject({ ok: false });
      }
    });
  });
});

describe("docker-compose.dev.yml, local sources", () => {
  it("reloads what is edited", async () => {
    const source = join(scratch, "source");
    await cp(join(repositoryRoot, "sandbox/hyperion"), source, { recursive: true });
    const variables = { HYPERION_SOURCE: source };
    await composed([...DEVELOPMENT, "up", "--detach", "--wait", "--no-deps", ...HYPERION], variables);
    expect(await get("HYPERION_UI_PORT")).toContain("Hyperion dashboard (sample)");
    expect(await get("HYPERION_MCP_PORT")).toContain("Hyperion MCP server (sample)");
    // Mounted beside the bridge, which its development image does not hold.
    expect(await get("HYPERION_BRIDGE_PORT", "/health")).toContain(
      '"mcpServer":"Hyperion MCP server (sample)"',
    );

    await edit(join(source, "coordinator/ui/public/index.html"), "dashboard (sample)", "dashboard, edited");
    await edit(join(source, "coordinator/mcp-server/hyper-mcp"), "server (sample)", "server, edited");
    await edit(join(source, "coordinator/mcp-http-bridge/bridge.js"), "bridge (sample)", "bridge, edited");
    const shows = (port: keyof typeof ports, text: string) =>
      eventually(async () => (await get(port)).includes(text));
    expect(await shows("HYPERION_UI_PORT", "Hyperion dashboard, edited")).toBe(true);
    expect(await shows("HYPERION_MCP_PORT", "Hyperion MCP server, edited")).toBe(true);
    expect(await shows("HYPERION_BRIDGE_PORT", "Hyperion HTTP bridge, edited")).toBe(true);
  });
});

async function edit(file: string, from: string, to: string): Promise<void> {
  const before = await readFile(file, "utf8");
  expect(before).toContain(from);
  await writeFile(file, before.replaceAll(from, to));
}

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, output } = await sandbox.docker(...args);
  if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${output}`);
  return stdout.trim();
}

/** An image that answers on the ports of all three infrastructure services, and has a `mongosh`. */
async function buildStandIn(): Promise<string> {
  const tag = `${project}-fake provider:local`;
  const context = await mkdtemp(join(scratch, "fake provider-"));
  await writeFile(
    join(context, "server.js"),
    'for (const port of [27017, 6333, 8080]) require("node:http").createServer((_, r) => r.end()).listen(port);\n',
  );
  await writeFile(
    join(context, "mongosh"),
    '#!/usr/bin/env node\nfetch(process.argv[3].replace("mongodb:", "http:")).catch(() => process.exit(1));\n',
    { mode: 0o755 },
  );
  await writeFile(
    join(context, "Dockerfile"),
    'FROM hyperion-sandbox-base:20\nCOPY mongosh /bin/\nCOPY server.js /\nENTRYPOINT ["node", "/server.js"]\n',
  );
  await docker("build", "--quiet", "--tag", tag, context);
  return tag;
}
