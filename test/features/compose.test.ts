/**
 * Runs all six services of the compose files on a real engine, with the sandbox's registry.
 *
 * The sandbox's engine cannot pull MongoDB, Qdrant and the embedding service: the fakes of sandbox/infrastructure have the
 * names of those images. Hyperion's three are the samples of sandbox/hyperion.
 */
import {
  chown,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import images from "../../images.json" with { type: "json" };
import { wantsCurrentEngine } from "../../sandbox/machine/install-engine.ts";
import { ensureCompose } from "../../sandbox/machine/install-compose.ts";
import { repositoryRoot, shortName } from "../../sandbox/lib/paths.ts";
import { claimPorts } from "../../sandbox/lib/ports.ts";
import { fakeInfrastructure } from "../support/infrastructure.ts";
import { failed, passed, stdoutOf } from "../support/outcome.ts";
import { commandIn, type Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const HYPERION = ["hyperion-mcp-server", "hyperion-http-bridge", "hyperion-ui"];
const ALL = [...HYPERION, "mongodb", "qdrant", "embedding-service"].sort();
/** An image that cannot be pulled. */
const NOWHERE = "nowhere.invalid/image:1";
const DEVELOPMENT = ["--file", "docker-compose.dev.yml"];

const sandbox = useSandbox();
let composeCommand: string;
let project: string;
/** Variables with other names for the fakes, if the user's engine has the real images. */
let fakes: Record<string, string>;
let ports: { HYPERION_UI_PORT: string; HYPERION_MCP_PORT: string; HYPERION_BRIDGE_PORT: string };

beforeAll(async () => {
  composeCommand = await ensureCompose(console.log);
  const plugins = join(sandbox.scratch, "docker-config/cli-plugins");
  await mkdir(plugins, { recursive: true });
  await symlink(composeCommand, join(plugins, "docker-compose"));
  // Never "hyperion", which on the user's engine can be a Hyperion with data.
  project = `hyperion-test-${shortName(sandbox.root)}`;
  const [ui = "", mcp = "", bridge = ""] = (await claimPorts(sandbox.scratch, 3)).map(String);
  ports = { HYPERION_UI_PORT: ui, HYPERION_MCP_PORT: mcp, HYPERION_BRIDGE_PORT: bridge };
  fakes = await fakeInfrastructure(docker);
});

const down = () => compose(["down", "--volumes", "--remove-orphans", "--timeout", "2"]);

/** Runs Compose without a login, and without the settings in this checkout's `.env`. */
function compose(args: string[], variables: Record<string, string> = {}, input = ""): Promise<Outcome> {
  const env = {
    PATH: process.env["PATH"],
    HOME: sandbox.scratch,
    DOCKER_HOST: sandbox.env["DOCKER_HOST"],
    DOCKER_CONFIG: join(sandbox.scratch, "docker-config"),
    COMPOSE_DISABLE_ENV_FILE: "true",
    COMPOSE_PROJECT_NAME: project,
    HYPERION_REGISTRY: sandbox.registry,
    ...fakes,
    ...ports,
    ...variables,
  };
  return commandIn(sandbox.root, composeCommand, args, env, { input });
}

const runCompose = async (args: string[], variables?: Record<string, string>): Promise<string> =>
  stdoutOf(await compose(args, variables));

const docker = async (...args: string[]): Promise<string> => stdoutOf(await sandbox.docker(...args));

/** The fake of Qdrant, which also has a shell. */
const qdrant = () => fakes["QDRANT_IMAGE"] ?? "qdrant/qdrant:v1.18.3";
const mongo = () => fakes["MONGODB_IMAGE"] ?? "mongo:7.0";

const url = (port: keyof typeof ports, path: string) => `http://127.0.0.1:${ports[port]}${path}`;
const get = async (port: keyof typeof ports, path = "/") => (await fetch(url(port, path))).text();

const POLL = { timeout: 10_000, interval: 100 };

it.each([[[]], [DEVELOPMENT]])("is valid without settings and without a warning %j", async (files) => {
  expect(passed(await compose([...files, "config", "--quiet"]))).toBe("");
});

const up = (variables: Record<string, string> = {}, ...more: string[]) =>
  runCompose(["up", "--detach", "--wait", ...more], variables);
const services = async () =>
  (await runCompose(["ps", "--all", "--services"])).split("\n").filter(Boolean).sort();

/** A property of these services' containers, one for each. */
const inspect = async (format: string, ...names: string[]) =>
  (await docker("inspect", "--format", format, ...names.map((name) => `${project}-${name}-1`)))
    .trim()
    .split("\n");
const startTimes = async (...names: string[]) =>
  (await inspect("{{.State.StartedAt}}", ...names)).map(Date.parse);

/** Runs a statement of COMPOSE.md in the database, which asks for each of these passwords. */
async function mongosh(statement: string, login: string, ...passwords: string[]): Promise<void> {
  const shell = ["exec", "--no-TTY", "mongodb", "mongosh", "--username", login];
  const words = [...shell, "--authenticationDatabase", "admin", "admin", "--eval", statement];
  passed(await compose(words, {}, passwords.join("\n")));
}

/** Scans a folder of code, as the UI does. */
async function scanFromUi(folderPath: string): Promise<unknown> {
  const body = JSON.stringify({ name: "code_index_scan", arguments: { folderPath } });
  return (await fetch(url("HYPERION_UI_PORT", "/api/mcp/tools/call"), { method: "POST", body })).json();
}
const watched = async () => /"watched":(.*)}/.exec(await get("HYPERION_MCP_PORT"))?.[1];

async function expectHealthy(): Promise<void> {
  expect(await get("HYPERION_UI_PORT", "/health")).toBe("healthy\n");
  expect(await get("HYPERION_MCP_PORT", "/health")).toContain('"status":"healthy"');
}

describe("docker-compose.yml, published images", () => {
  it("cannot be pulled from a private registry, with the message that TROUBLESHOOTING explains", async () => {
    expect(failed(await compose(["pull", ...HYPERION]))).toContain(
      'Permission "artifactregistry.repositories.downloadArtifacts" denied',
    );
  });

  describe("once the registry is public", () => {
    /** The output of the `up` that published version 1.4.2. */
    let published: string;

    beforeAll(async () => {
      await sandbox.set({ publicAccess: "true", version: "1.4.2" });
      published = await sandbox.up();
    });

    it.each(["1.4.2", "v1.4.2", "1", "latest"])("pulls the tag %s", async (tag) => {
      await runCompose(["pull", "hyperion-ui"], { HYPERION_TAG: tag });
    });

    it("is pinned by a lock file with version and digest", async () => {
      const substitute = `${sandbox.registry}/hyperion-ui:1.4.2`;
      const locked = await runCompose(["config", "--lock-image-digests"], {
        HYPERION_TAG: "1.4.2",
        // The digests of the infrastructure images are not available here.
        MONGODB_IMAGE: substitute,
        QDRANT_IMAGE: substitute,
        EMBEDDING_IMAGE: substitute,
      });
      const lock = parse(locked) as { services: Record<string, { image: string }> };
      for (const [index, name] of HYPERION.entries()) {
        const image = `${sandbox.registry}/${String(images[index]?.name)}`;
        const [, digest = ""] = lock.services[name]?.image.split("@") ?? [];
        expect(lock.services[name]?.image).toBe(`${image}:1.4.2@${digest}`);
        expect(published).toContain(`${image}@${digest}`);
      }

      const file = join(sandbox.scratch, "docker-compose.lock.yml");
      const { mongodb, qdrant, "embedding-service": embedding, ...pinned } = lock.services;
      expect([mongodb, qdrant, embedding]).not.toContain(undefined);
      await writeFile(file, stringify({ services: pinned }));
      const files = ["--file", "docker-compose.yml", "--file", file];
      // The lock file overrides another HYPERION_TAG.
      await runCompose([...files, "pull", ...HYPERION], { HYPERION_TAG: "9.9.9" });
    });

    describe("while they run", () => {
      let healthySince: number;

      beforeAll(async () => {
        await runCompose(["pull", ...HYPERION]);
        await up();
        healthySince = Date.now();
      });
      afterAll(down);

      it("starts all six in order of health, without a login or settings", async () => {
        expect(await services()).toEqual(ALL);
        await expectHealthy();
        expect(await get("HYPERION_UI_PORT")).toContain("Hyperion dashboard (sample)");
        expect(await get("HYPERION_BRIDGE_PORT")).toContain('"mcpServer":"Hyperion MCP server (sample)"');

        const infrastructure = await startTimes("mongodb", "qdrant", "embedding-service");
        const [mcp = 0, bridge = 0, ui = 0] = await startTimes(...HYPERION);
        expect(Math.max(...infrastructure)).toBeLessThan(Math.min(mcp, bridge));
        expect(bridge).toBeLessThan(ui);
      });

      it("a healthy service is checked less often", async () => {
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, healthySince + 4_000 - Date.now())));
        const [codes = ""] = await inspect("{{range .State.Health.Log}}{{.ExitCode}} {{end}}", "hyperion-ui");
        // A check per second would have added three.
        expect(codes.match(/\b0\b/g)).toHaveLength(1);
      });

      it.each(HYPERION)(
        "%s has a read-only file system, and only the servers reach the databases",
        async (service) => {
          const addresses = ["mongodb:27017", "qdrant:6333"];
          const ask = service === "hyperion-ui" ? "wget -q -O -" : `node -e 'fetch(process.argv[1])'`;
          const script = [
            "echo > /file",
            ...addresses.map((each) => `${ask} http://${each} && echo reached ${each}`),
          ];
          const exec = ["exec", "--user", "root", service, "sh", "-c", script.join("; ")];
          const { output } = await compose(exec);
          expect(output).toContain("Read-only file system");
          for (const address of addresses)
            expect(output).toContain(
              service === "hyperion-ui" ? `bad address '${address}'` : `reached ${address}`,
            );
        },
      );

      describe("with other settings", () => {
        let variables: Record<string, string>;
        const address = () =>
          inspect(
            `{{(index .NetworkSettings.Networks "${project}_default").IPAddress}}`,
            "hyperion-http-bridge",
          );
        let formerAddress: string[];

        beforeAll(async () => {
          const code = await mkdtemp(join(sandbox.scratch, "code-"));
          await chown(code, 1000, 1000);
          await writeFile(join(code, "main.go"), "package main\n");
          variables = { HYPERION_CODE: code, MONGODB_PASSWORD: "another" };

          await mongosh(
            'db.changeUserPassword("hyperion", passwordPrompt())',
            "hyperion",
            "hyperion-inside-compose",
            "another",
          );
          formerAddress = await address();
          await runCompose(["stop", "hyperion-http-bridge"]);
          // Takes the bridge's address.
          const other = await docker("run", "--detach", "--network", `${project}_default`, qdrant());
          await up(variables);
          await docker("rm", "--force", other.trim());
        });

        it("the password of the database is changed by the commands of COMPOSE.md", expectHealthy);

        it("reaches a recreated bridge through nginx, which resolves an address only once", async () => {
          expect(await address()).not.toEqual(formerAddress);
          const { status } = await fetch(url("HYPERION_UI_PORT", "/api/"));
          expect(status).toBe(200);
        });

        it("the UI scans the code that the MCP server watches, and both read it", async () => {
          expect(await watched()).toBe('["/code"]');
          expect(await scanFromUi("/code")).toEqual({ path: "/code", status: "active", files: 1 });
          expect(await watched()).toBe('["/code"]');
          // A folder that neither has is not watched.
          await scanFromUi("/elsewhere");
          expect(await watched()).toBe('["/code"]');
        });

        it("all three restart after a database is recreated", async () => {
          const before = await startTimes(...HYPERION);
          variables["QDRANT_MEMORY"] = "1g";
          await up(variables);
          const after = await startTimes(...HYPERION);
          expect(after.filter((time, index) => time === before[index])).toEqual([]);
          await expectHealthy();
          expect(await scanFromUi("/code")).toMatchObject({ status: "active" });
        });

        it("the servers are unhealthy while a database is down", async () => {
          await runCompose(["stop", "--timeout", "2", "qdrant"]);
          const health = await fetch(url("HYPERION_MCP_PORT", "/health"));
          expect([health.status, await health.text()]).toEqual([
            503,
            expect.stringContaining('"qdrant":{"status":"down"}'),
          ]);
        });

        it("recovers when the databases start after the servers, and data survives a kill", async () => {
          await runCompose(["kill"]);
          const servers = ["hyperion-mcp-server", "hyperion-http-bridge"];
          await runCompose(["up", "--detach", "--no-deps", ...servers], variables);
          const restarts = async () => Number((await inspect("{{.RestartCount}}", "hyperion-mcp-server"))[0]);
          await expect.poll(restarts, POLL).toBeGreaterThan(0);
          await up(variables, "mongodb", "qdrant", "embedding-service");
          // Docker waits longer before each restart.
          const options = { timeout: 60_000, interval: 100 };
          for (const port of ["HYPERION_MCP_PORT", "HYPERION_BRIDGE_PORT"] as const)
            await expect.poll(() => get(port, "/health"), options).toContain('"status":"healthy"');
          await up(variables);
          await expectHealthy();
          expect(await watched()).toBe('["/code"]');
        });
      });
    });

    describe("before a start", () => {
      afterAll(down);

      it("starts nothing and creates no folder if the code folder is misspelt", async () => {
        const HYPERION_CODE = join(sandbox.scratch, "misspelt");
        const output = failed(await compose(["up", "--detach", "--wait"], { HYPERION_CODE }));
        expect(output).toContain(`bind source path does not exist: ${HYPERION_CODE}`);
        await expect(stat(HYPERION_CODE)).rejects.toThrow("ENOENT");
        expect(await runCompose(["ps", "--services"])).toBe("");
      });

      it("has every service, if only addresses are set", async () => {
        await runCompose(["create"], {
          MONGODB_URI: "mongodb://hyperion:hyperion-inside-compose@mongodb:27017",
          QDRANT_URL: "http://qdrant:6333",
          TEI_URL: "http://embedding-service:8080",
        });
        expect(await services()).toEqual(ALL);
      });

      it("has no embedding service, if OpenAI replaces it", async () => {
        const variables = { EMBEDDING: "openai", OPENAI_API_KEY: "key", EMBEDDING_IMAGE: NOWHERE };
        await runCompose(["create"], variables);
        expect(await services()).toEqual(ALL.filter((name) => name !== "embedding-service"));
      });

      it("sets no-new-privileges, which Docker from snap refuses, unless it is turned off", async () => {
        const options = async (variables: Record<string, string>) => {
          await runCompose(["create", "hyperion-ui", "mongodb"], variables);
          return inspect("{{json .HostConfig.SecurityOpt}}", "hyperion-ui", "mongodb");
        };
        const of = (value: boolean) => `["no-new-privileges:${value}"]`;
        expect(await options({})).toEqual([of(true), of(true)]);
        expect(await options({ HYPERION_NO_NEW_PRIVILEGES: "false" })).toEqual([of(false), of(false)]);
      });

      it("uses services that run elsewhere, and starts and pulls none", async () => {
        const variables = {
          HYPERION_QDRANT: "elsewhere",
          QDRANT_URL: "http://qdrant.example.com:6333",
          QDRANT_API_KEY: "key",
          HYPERION_MONGODB: "elsewhere",
          MONGODB_URI: "mongodb://dana:secret@mongodb.example.com:27017/?authSource=admin",
          HYPERION_EMBEDDING: "elsewhere",
          TEI_URL: "http://tei.example.com",
          QDRANT_IMAGE: NOWHERE,
          MONGODB_IMAGE: NOWHERE,
          EMBEDDING_IMAGE: NOWHERE,
        };
        await runCompose(["create"], variables);
        const network = ["--network", `${project}_default`];
        const startRemote = async (name: string, image: string, ...settings: string[]) => {
          const options = [...network, "--network-alias", `${name}.example.com`];
          const env = settings.flatMap((each) => ["--env", each]);
          return (await docker("run", "--detach", ...options, ...env, image)).trim();
        };
        const login = ["MONGO_INITDB_ROOT_USERNAME=dana", "MONGO_INITDB_ROOT_PASSWORD=secret"];
        const database = await startRemote("mongodb", mongo(), ...login);
        const remotes = [database, await startRemote("qdrant", qdrant(), "QDRANT__SERVICE__API_KEY=key")];
        try {
          await expect.poll(() => docker("logs", database), POLL).toContain("Waiting for connections");
          await up(variables, "hyperion-mcp-server");
          expect(await services()).toEqual([...HYPERION].sort());
          expect(await get("HYPERION_MCP_PORT", "/health")).toContain('"status":"healthy"');
        } finally {
          await docker("rm", "--force", "--volumes", ...remotes);
        }
      });
    });

    describe("with the data of an earlier compose file and a proxy", () => {
      const dead = "http://127.0.0.1:9";
      let earlier: string;
      let volumes: string[];
      const login = { MONGODB_USERNAME: "admin", MONGODB_PASSWORD: "admin123" };
      let variables: Record<string, string>;

      beforeAll(async () => {
        earlier = `${project}-earlier`;
        volumes = ["mongodb_data", "mongodb_config", "qdrant_data"].map((name) => `${earlier}_${name}`);
        const DOCKER_CONFIG = await mkdtemp(join(sandbox.scratch, "proxy-"));
        const proxies = { default: { httpProxy: dead, httpsProxy: dead, noProxy: "*.corp" } };
        await writeFile(join(DOCKER_CONFIG, "config.json"), JSON.stringify({ proxies }));
        variables = { ...login, DOCKER_CONFIG, NO_PROXY: "*.corp" };
      });
      afterAll(async () => {
        await down();
        await docker("volume", "rm", "--force", ...volumes);
      });

      it("copies the data", async () => {
        for (const volume of volumes) await docker("volume", "create", volume);
        await fillEarlier(`${earlier}_mongodb_data`);

        expect((await check()).output).toContain(`scripts/copy-compose-volumes.sh ${earlier}`);
        passed(await script("scripts/copy-compose-volumes.sh", [earlier]));
        // A second run overwrites nothing.
        expect((await script("scripts/copy-compose-volumes.sh", [earlier])).output).toContain(
          "exists already",
        );

        await up({ ...variables, QDRANT_IMAGE: await buildVersion("qdrant", "v1.15.5") });
        expect(await watched()).toBe('["/old"]');
        expect(await docker("volume", "ls", "--format", "{{.Name}}")).toContain(`${earlier}_mongodb_data`);
      });

      it("works if Docker sets a proxy in every container, and uses none between services", async () => {
        const environment = await inspect("{{json .Config.Env}}", "hyperion-mcp-server");
        expect(environment[0]).toContain(`"HTTP_PROXY=${dead}"`);
        expect(environment[0]).toContain(
          '"no_proxy=localhost,127.0.0.1,mongodb,qdrant,embedding-service,*.corp"',
        );
        await expectHealthy();
      });

      it("check-compose.sh reports a Qdrant volume that the next image cannot open", async () => {
        const skipping = failed(await check(login));
        expect(skipping).toContain("was last opened by Qdrant 1.15, and");
        expect(skipping).toContain("QDRANT_IMAGE=qdrant/qdrant:v1.16.3 docker compose up");
        expect(skipping).not.toContain("copy-compose-volumes");
        expect(skipping).not.toContain("refuses MONGODB_USERNAME");
      });

      it("upgrades each database with the commands of COMPOSE.md, and keeps its data", async () => {
        for (const version of ["v1.16.3", "v1.17.1"])
          await up({ ...variables, QDRANT_IMAGE: await buildVersion("qdrant", version) }, "qdrant");

        const raise = (version: string) =>
          mongosh(
            `db.adminCommand({ setFeatureCompatibilityVersion: "${version}", confirm: true })`,
            "admin",
            "admin123",
          );
        const MONGODB_IMAGE = await buildVersion("mongo", "8.0.4");
        await raise("7.0");
        await up({ ...variables, MONGODB_IMAGE });
        await raise("8.0");
        expect(await watched()).toBe('["/old"]');

        const settings = {
          ...login,
          MONGODB_IMAGE,
          HYPERION_REGISTRY: sandbox.registry,
          HYPERION_TAG: "1.4.2",
        };
        expect(passed(await check(settings))).toMatch(/^Nothing found/);
      });

      it("check-compose.sh reports data of another format or version, and a login that differs from .env", async () => {
        const plant =
          "mkdir /qdrant/storage/collections/code && echo 0.3.1 > /qdrant/storage/collections/code/version.info";
        await runCompose(["exec", "qdrant", "sh", "-c", plant]);
        const output = failed(await check());
        expect(output).toContain("a collection of format 0.3.1");
        expect(output).toContain("was last opened by MongoDB 8.0.4, and");
        expect(output).toContain("MongoDB refuses MONGODB_USERNAME and MONGODB_PASSWORD");

        await runCompose(["up", "--detach", "mongodb", "qdrant"], { HYPERION_RESTART: "no" });
        for (const [service, refusal] of [
          ["mongodb", "UPGRADE PROBLEM"],
          ["qdrant", "Try to use older version of Qdrant first"],
        ] as const)
          await expect.poll(() => runCompose(["logs", service]), POLL).toContain(refusal);
      });
    });

    // Docker 29 tries a registry without a trusted certificate by HTTP too, and reports that answer.
    it.skipIf(wantsCurrentEngine(process.env))(
      "check-compose.sh reports an image that its version does not have",
      async () => {
        const HYPERION_REGISTRY = sandbox.registry;
        const newer = await check({ HYPERION_REGISTRY, HYPERION_TAG: "1.4.2" }, "hyperion-coordinator-new");
        expect(failed(newer)).toContain("has no hyperion-coordinator-new at HYPERION_TAG=1.4.2");
        expect(failed(await check({ HYPERION_REGISTRY, HYPERION_TAG: "9.9.9" }))).toContain(
          "the registry has no HYPERION_TAG=9.9.9",
        );
      },
    );
  });
});

describe("docker-compose.dev.yml, local sources", () => {
  afterAll(down);

  it("starts from a clean clone, reloads edited files, and leaves no files in it", async () => {
    const source = await mkdtemp(join(sandbox.scratch, "source-"));
    await cp(join(repositoryRoot, "sandbox/hyperion"), source, { recursive: true });
    await changeOwner(source, 1000);
    const run = (...args: string[]) => runCompose([...DEVELOPMENT, ...args], { HYPERION_SOURCE: source });
    const files = await readdir(source, { recursive: true });
    await run("up", "--detach", "--wait");
    expect(await services()).toEqual(ALL);
    expect((await fetch(url("HYPERION_UI_PORT", "/health"))).status).toBe(404);
    expect((await fetch(url("HYPERION_UI_PORT", "/"))).url).toBe(url("HYPERION_UI_PORT", "/ui/"));
    expect(await get("HYPERION_UI_PORT")).toContain("Hyperion dashboard (sample)");
    expect(await get("HYPERION_BRIDGE_PORT")).toContain('"mcpServer":"Hyperion MCP server (sample)"');
    expect(await scanFromUi("/code")).toMatchObject({ status: "active" });

    await edit(join(source, "coordinator/ui/src/index.html"), "dashboard (sample)", "dashboard, edited");
    await edit(join(source, "coordinator/mcp-server/hyper-mcp"), "server (sample)", "server, edited");
    await edit(join(source, "coordinator/mcp-http-bridge/bridge.js"), "bridge (sample)", "bridge, edited");
    for (const [port, text] of [
      ["HYPERION_UI_PORT", "Hyperion dashboard, edited"],
      ["HYPERION_MCP_PORT", "Hyperion MCP server, edited"],
      ["HYPERION_BRIDGE_PORT", "Hyperion HTTP bridge, edited"],
    ] as const)
      await expect.poll(() => get(port), POLL).toContain(text);

    // Compiled files outlive the containers.
    await run("rm", "--stop", "--force", "hyperion-mcp-server");
    await run("up", "--detach", "--wait", "--no-deps", "hyperion-mcp-server");
    const compiled = await run("logs", "hyperion-mcp-server");
    expect(compiled).toContain("building...");
    expect(compiled).not.toContain("compiling");

    expect(await readdir(source, { recursive: true })).toEqual(files);
    for (const file of files) expect((await stat(join(source, file))).uid, file).toBe(1000);
  });
});

/** Changes the owner of a folder and its contents. */
async function changeOwner(folder: string, user: number): Promise<void> {
  await chown(folder, user, user);
  for (const file of await readdir(folder, { recursive: true })) await chown(join(folder, file), user, user);
}

/** Fills a volume as an earlier compose file did, with another login and a folder in the index. */
async function fillEarlier(volume: string): Promise<void> {
  const login = ["--env", "MONGO_INITDB_ROOT_USERNAME=admin", "--env", "MONGO_INITDB_ROOT_PASSWORD=admin123"];
  const database = await docker("run", "--detach", ...login, "--volume", `${volume}:/data/db`, mongo());
  const add = `fetch("http://127.0.0.1:27017/folders", { method: "POST", body: '{"path":"/old","status":"active"}',
    headers: { authorization: "Basic " + btoa("admin:admin123") } }).then((r) => process.exit(r.ok ? 0 : 1))`;
  const added = async () => (await sandbox.docker("exec", database, "node", "-e", add)).code;
  await expect.poll(added, POLL).toBe(0);
  await docker("rm", "--force", database);
}

/** Builds the fake of another version of a database, with a tag for this sandbox. */
async function buildVersion(folder: string, version: string): Promise<string> {
  const tag = `${shortName(sandbox.root)}-${folder}:${version}`;
  const sources = join(repositoryRoot, "sandbox/infrastructure", folder);
  await docker("build", "--quiet", "--build-arg", `VERSION=${version}`, "--tag", tag, sources);
  return tag;
}

/** Runs a script of this project on the sandbox's engine, without the user's settings. */
function script(file: string, args: string[], variables: Record<string, string> = {}): Promise<Outcome> {
  return sandbox.command(file, args, {
    HOME: sandbox.scratch,
    DOCKER_CONFIG: join(sandbox.scratch, "docker-config"),
    COMPOSE_PROJECT_NAME: project,
    ...fakes,
    ...ports,
    ...variables,
  });
}

/**
 * Runs check-compose.sh on a folder with the compose file alone, with Compose as a plugin of Docker.
 * @param image name of an image in the compose file instead of the first one.
 */
async function check(variables: Record<string, string> = {}, image?: string): Promise<Outcome> {
  const folder = await mkdtemp(join(sandbox.scratch, "downloaded-"));
  const file = join(folder, "docker-compose.yml");
  await copyFile(join(repositoryRoot, "docker-compose.yml"), file);
  if (image !== undefined) await edit(file, `/${String(images[0]?.name)}:`, `/${image}:`);
  return script("scripts/check-compose.sh", [folder], variables);
}

async function edit(file: string, from: string, to: string): Promise<void> {
  const before = await readFile(file, "utf8");
  expect(before).toContain(from);
  await writeFile(file, before.replaceAll(from, to));
}
