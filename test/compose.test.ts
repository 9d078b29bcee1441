import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import images from "../images.json" with { type: "json" };
import { findCommands } from "../sandbox/lib/files.ts";
import { listen } from "./support/listen.ts";
import { runCommand } from "./support/sandbox.ts";

const root = join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

interface Service {
  image?: string;
  platform?: string;
  extends?: { file: string; service: string };
  build?: { context: string; dockerfile: string };
  depends_on?: Record<string, { condition: string; restart?: boolean }>;
  environment?: Record<string, string>;
  healthcheck?: { test: string | string[] };
  networks?: string[];
  ports?: { host_ip: string; published: string; target: number }[];
  restart?: string;
  security_opt?: string[];
}

interface ComposeFile {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, unknown>;
}

const load = (file: string) => parse(read(file), { merge: true, logLevel: "error" }) as ComposeFile;
const published = load("docker-compose.yml");
/** Templates that services extend: where a service runs, and where the code is. */
const TEMPLATES = ["local", "elsewhere", "openai", "code", "code-folder"];
const development = load("docker-compose.dev.yml");

const service = (file: ComposeFile, name: string): Service => {
  const found = file.services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
};

const settings = parse(read("Pulumi.yaml")) as { config: Record<string, { default?: unknown }> };
const production = parse(read("Pulumi.production.yaml")) as { config: Record<string, string> };
const setting = (name: string) =>
  production.config[`hyperion-registry:${name}`] ?? String(settings.config[name]?.default);

/** The Compose service of each image, and its port on the host. */
const SERVICES = [
  {
    service: "hyperion-mcp-server",
    image: "hyperion-coordinator-mcp",
    port: 7778,
    variable: "HYPERION_MCP_PORT",
  },
  {
    service: "hyperion-http-bridge",
    image: "hyperion-http-bridge",
    port: 7779,
    variable: "HYPERION_BRIDGE_PORT",
  },
  { service: "hyperion-ui", image: "hyperion-ui", port: 7777, variable: "HYPERION_UI_PORT" },
] as const;
const INFRASTRUCTURE = ["mongodb", "qdrant", "embedding-service"];

/** The catalogue entry of an image, with the Dockerfile of its sample. */
function catalogued(name: string) {
  const image = images.find((entry) => entry.name === name);
  if (image === undefined) throw new Error(`${name} is not in images.json`);
  const dockerfile = join("sandbox/hyperion", image.context, image.dockerfile);
  return { ...image, dockerfile, text: read(dockerfile) };
}

describe("docker-compose.yml", () => {
  it("runs each image of the catalogue, by default from the production registry", () => {
    const registry = `${String(production.config["gcp:region"])}-docker.pkg.dev/${String(production.config["gcp:project"])}/${setting("repositoryId")}`;
    expect(SERVICES.map((entry) => entry.image).sort()).toEqual(images.map((image) => image.name).sort());
    for (const { service: name, image } of SERVICES) {
      expect(service(published, name).image).toBe(
        `\${HYPERION_REGISTRY:-${registry}}/${image}:\${HYPERION_TAG:-latest}`,
      );
    }
  });

  it("runs on the machine's platform by default", () => {
    for (const { service: name } of SERVICES)
      expect(service(published, name).platform).toBe("${HYPERION_PLATFORM:-}");
    for (const name of INFRASTRUCTURE) expect(service(published, name).platform).toBeUndefined();
  });

  it("pins each database to a version, so that no update skips one", () => {
    for (const name of ["mongodb", "qdrant"])
      expect(service(published, name).image).toMatch(/^\$\{[A-Z_]+:-[a-z/]+:v?\d+\.\d+(\.\d+)?\}$/);
  });

  it("excludes the other services from Docker's proxy, in both variables", () => {
    for (const name of ["hyperion-mcp-server", "hyperion-http-bridge"]) {
      const { environment } = service(published, name);
      for (const variable of ["NO_PROXY", "no_proxy"])
        expect(environment?.[variable]).toBe(
          `localhost,127.0.0.1,${INFRASTRUCTURE.join(",")}\${NO_PROXY:+,}\${NO_PROXY:-}`,
        );
    }
  });

  it("publishes only the port that each image listens on, on loopback", () => {
    for (const { service: name, image, port, variable } of SERVICES) {
      const exposed = Number(/^EXPOSE (\d+)$/m.exec(catalogued(image).text)?.[1]);
      expect(service(published, name).ports).toEqual([
        { host_ip: "${HYPERION_BIND:-127.0.0.1}", published: `\${${variable}:-${port}}`, target: exposed },
      ]);
    }
    for (const name of INFRASTRUCTURE) expect(service(published, name).ports).toBeUndefined();
  });

  it("sets the ports and paths that the images use", () => {
    const mcp = service(published, "hyperion-mcp-server").environment;
    expect(catalogued("hyperion-coordinator-mcp").text).toContain(`EXPOSE ${String(mcp?.["MCP_PORT"])}\n`);
    const bridge = service(published, "hyperion-http-bridge").environment;
    const combined = catalogued("hyperion-http-bridge").text;
    expect(combined).toContain(`EXPOSE ${String(bridge?.["PORT"])}\n`);
    expect(bridge?.["MCP_SERVER_PATH"]).toBe("/app/hyper-mcp");
    expect(combined).toContain("COPY mcp-server/hyper-mcp ");
  });

  it("keeps the databases in an internal network", () => {
    expect(published.networks["data"]).toEqual({ internal: true });
    for (const name of ["mongodb", "qdrant"]) expect(service(published, name).networks).toEqual(["data"]);
  });

  it("starts services in order of health, restarts them, and lets no container gain privileges", () => {
    expect(Object.keys(published.services).sort()).toEqual(
      [...SERVICES.map((entry) => entry.service), ...INFRASTRUCTURE, ...TEMPLATES].sort(),
    );
    for (const [name, one] of Object.entries(published.services)) {
      if (TEMPLATES.includes(name)) continue;
      expect(one.healthcheck?.test, name).toBeDefined();
      expect(one.restart, name).toBe("${HYPERION_RESTART:-unless-stopped}");
      expect(one.security_opt, name).toEqual(["no-new-privileges:${HYPERION_NO_NEW_PRIVILEGES:-true}"]);
      for (const needed of Object.values(one.depends_on ?? {}))
        expect(needed, name).toEqual({ condition: "service_healthy", restart: true });
    }
    const needs = (name: string) => Object.keys(service(published, name).depends_on ?? {}).sort();
    for (const name of ["hyperion-mcp-server", "hyperion-http-bridge"])
      expect(needs(name)).toEqual([...INFRASTRUCTURE].sort());
    expect(needs("hyperion-ui")).toEqual([...INFRASTRUCTURE, "hyperion-http-bridge"].sort());
  });

  it("needs no other file, so that it can be downloaded alone", () => {
    expect(read("docker-compose.yml")).not.toMatch(/^ +(build|env_file|configs|secrets|file):/m);
    expect(read("docker-compose.yml")).not.toMatch(/^include:/m);
  });
});

describe("docker-compose.dev.yml", () => {
  it("builds each image from its folder with Dockerfile.dev", () => {
    for (const { service: name, image } of SERVICES) {
      const { context, dockerfile } = service(development, name).build ?? { context: "", dockerfile: "" };
      const entry = images.find((one) => one.name === image);
      // The folder of the Dockerfile. Only the published bridge has all of coordinator/ as its context.
      const folder = join(entry?.context ?? "", entry?.dockerfile ?? "", "..");
      expect(context).toBe(`\${HYPERION_SOURCE:-.}/${folder}`);
      expect(dockerfile).toBe("Dockerfile.dev");
      expect(existsSync(join(root, "sandbox/hyperion", folder, dockerfile))).toBe(true);
    }
  });

  it("extends docker-compose.yml for everything else", () => {
    expect(Object.keys(development.services).sort()).toEqual(
      Object.keys(published.services)
        .filter((name) => !TEMPLATES.includes(name))
        .sort(),
    );
    for (const [name, one] of Object.entries(development.services))
      expect(one.extends).toEqual({ file: "docker-compose.yml", service: name });
    for (const name of INFRASTRUCTURE) expect(Object.keys(service(development, name))).toEqual(["extends"]);
    expect(development.networks).toEqual(published.networks);
    expect(Object.keys(development.volumes)).toEqual(expect.arrayContaining(Object.keys(published.volumes)));
  });

  it("publishes the UI's development server on the port of the UI", () => {
    const ui = service(development, "hyperion-ui");
    expect(ui.ports).toEqual([
      { ...service(published, "hyperion-ui").ports?.[0], target: Number(ui.environment?.["PORT"]) },
    ]);
    expect(read("sandbox/hyperion/coordinator/ui/Dockerfile.dev")).toContain(
      `EXPOSE ${String(ui.environment?.["PORT"])}\n`,
    );
  });
});

describe(".env.example", () => {
  const files = read("docker-compose.yml") + read("docker-compose.dev.yml");
  const documented = new Map(
    [...read(".env.example").matchAll(/^#([A-Z_]+)=(.*)$/gm)].map(([, name = "", value = ""]) => [
      name,
      value,
    ]),
  );

  it("documents exactly the variables that the compose files read", () => {
    const used = [...files.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, name = ""]) => name);
    expect([...documented.keys()].sort()).toEqual([...new Set(used)].sort());
  });

  it("shows each default", () => {
    for (const [name, value] of documented) {
      // Defaults that depend on other variables, or cannot be set as a value, are empty.
      if (
        value === "" &&
        ["HYPERION_CODE", "CODE_INDEX_FOLDERS", "MONGODB_URI", "HYPERION_EMBEDDING"].includes(name)
      )
        continue;
      expect(value, name).toBe(new RegExp(`\\$\\{${name}:-([^{}]*)\\}`).exec(files)?.[1]);
    }
  });

  it("sets nothing when it is copied unchanged", () => {
    const active = read(".env.example")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(active).toEqual([]);
  });
});

describe("health checks", () => {
  let server: Server;
  let port: number;
  let status = 200;

  beforeAll(async () => {
    server = createServer((_request, response) => {
      response.statusCode = status;
      response.end("{}");
    });
    port = await listen(server);
  });
  afterAll(() => {
    server.close();
  });

  const passes = async (command: string, args: string[], env: NodeJS.ProcessEnv) =>
    (await runCommand(command, args, env)).code === 0;
  const judge = async (command: string, args: string[], env: NodeJS.ProcessEnv) => {
    status = 200;
    const healthy = await passes(command, args, env);
    status = 503;
    return { healthy, unhealthy: await passes(command, args, env) };
  };

  // With the sandbox's wget, which behaves like busybox's, whether or not the machine has one.
  it("of Hyperion's services need only wget", async () => {
    const bin = await mkdtemp(join(tmpdir(), "hyperion-probe-"));
    try {
      await symlink(join(root, "test/support/wget.cjs"), join(bin, "wget"));
      for (const tool of ["env", "node"]) await symlink(findCommands(tool)[0] ?? "", join(bin, tool));
      const probe = String(service(published, "hyperion-ui").healthcheck?.test);
      const command = probe.replaceAll("$$", "$").replaceAll("/dev/shm/well", join(bin, "well"));
      const env = { PATH: bin, PORT: String(port) };
      expect(await judge("/bin/sh", ["-c", command.replace("sleep 25", ":")], env)).toEqual({
        healthy: true,
        unhealthy: false,
      });
    } finally {
      await rm(bin, { recursive: true });
    }
  });

  it("of the three services are the same, each on its own port", () => {
    const probes = SERVICES.map((entry) => service(published, entry.service).healthcheck?.test);
    expect(new Set(probes).size).toBe(1);
    expect(probes[0]).toContain("$${MCP_PORT:-$${PORT:-80}}$${HEALTH_PATH:-/health}");
  });

  it.each(["qdrant", "embedding-service"])("of %s need only bash", async (name) => {
    const [form, command, ...args] = service(published, name).healthcheck?.test ?? [];
    expect([form, command]).toEqual(["CMD", "bash"]);
    const probe = args.map((arg) =>
      arg
        .replaceAll("$$", "$")
        .replace("sleep 25", ":")
        .replaceAll("/dev/shm/well", join(tmpdir(), `hyperion-well-${name}`))
        .replace(/127\.0\.0\.1\/\d+/, `127.0.0.1/${port}`),
    );
    expect(await judge("/bin/bash", probe, { PATH: "" })).toEqual({ healthy: true, unhealthy: false });
    await rm(join(tmpdir(), `hyperion-well-${name}`));
  });
});

it("the linter finds nothing", async () => {
  const files = ["docker-compose.yml", "docker-compose.dev.yml"];
  const linter = join(root, "node_modules/.bin/dclint");
  const { code, output } = await runCommand(linter, ["--max-warnings", "0", ...files], process.env);
  expect(code, output).toBe(0);
});
