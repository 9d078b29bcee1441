/**
 * Runs all six services of the compose files on a real engine, with the sandbox's registry.
 *
 * The sandbox's engine cannot pull MongoDB, Qdrant and the embedding service: the fakes of sandbox/infrastructure have the
 * names of those images. Hyperion's three are the samples of sandbox/hyperion.
 */
import { chown, copyFile, cp, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
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
let otherPort: string;

beforeAll(async () => {
  composeCommand = await ensureCompose(console.log);
  // Never "hyperion", which on the user's engine can be a Hyperion with data.
  project = `hyperion-test-${shortName(sandbox.root)}`;
  const [ui = "", mcp = "", bridge = "", other = ""] = (await claimPorts(sandbox.scratch, 4)).map(String);
  ports = { HYPERION_UI_PORT: ui, HYPERION_MCP_PORT: mcp, HYPERION_BRIDGE_PORT: bridge };
  otherPort = other;
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
const container = (service: string) => runCompose(["ps", "--all", "--quiet", service]);
const inspect = async (service: string, format: string) =>
  docker("inspect", "--format", format, await container(service));

/** Scans a folder of code, as the UI does. */
async function scanFromUi(folderPath: string): Promise<unknown> {
  const body = JSON.stringify({ name: "code_index_scan", arguments: { folderPath } });
  return (await fetch(url("HYPERION_UI_PORT", "/api/mcp/tools/call"), { method: "POST", body })).json();
}
const watched = async () => /"watched":(.*)}/.exec(await get("HYPERION_MCP_PORT"))?.[1];

describe("docker-compose.yml, published images", () => {
  it(
    "cannot be pulled from a private registry, with the message that TROUBLESHOOTING explains",
    { tags: "feature" },
    async () => {
      expect(failed(await compose(["pull", ...HYPERION]))).toContain(
        'Permission "artifactregistry.repositories.downloadArtifacts" denied',
      );
    },
  );

  describe("once the registry is public", () => {
    beforeAll(async () => {
      await sandbox.set({ publicAccess: "true", version: "1.4.2" });
      await sandbox.up();
    });

    it.each(["1.4.2", "v1.4.2", "1", "latest"])("pulls the tag %s", { tags: "feature" }, async (tag) => {
      const version = `${sandbox.registry}/hyperion-ui:1.4.2`;
      if (tag.startsWith("v")) {
        await docker("pull", version);
        await docker("tag", version, `${sandbox.registry}/hyperion-ui:${tag}`);
        await docker("push", `${sandbox.registry}/hyperion-ui:${tag}`);
      }
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
      const digests = await sandbox.output("images");
      for (const [index, name] of HYPERION.entries()) {
        const image = `${sandbox.registry}/${String(images[index]?.name)}`;
        const [, digest = ""] = lock.services[name]?.image.split("@") ?? [];
        expect(lock.services[name]?.image).toBe(`${image}:1.4.2@${digest}`);
        expect(digests).toContain(`${image}@${digest}`);
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
      let variables: Record<string, string>;

      beforeAll(async () => {
        const code = await mkdtemp(join(sandbox.scratch, "code-"));
        await chown(code, 1000, 1000);
        await writeFile(join(code, "main.go"), "package main\n");
        variables = { HYPERION_CODE: code };
        await up(variables);
      });
      afterAll(down);

      it("the UI scans the code that the MCP server watches, and both read it", async () => {
        expect(await watched()).toBe('["/code"]');
        expect(await scanFromUi("/code")).toEqual({ path: "/code", status: "active", files: 1 });
        expect(await watched()).toBe('["/code"]');
        // A folder that neither has is not watched.
        await scanFromUi("/elsewhere");
        expect(await watched()).toBe('["/code"]');
      });

      it("a healthy service is checked less often", async () => {
        const asked = async () => Number(await inspect("hyperion-ui", "{{len .State.Health.Log}}"));
        const before = await asked();
        await new Promise((resolve) => setTimeout(resolve, 4_000));
        // A check per second would add three.
        expect(await asked()).toBeLessThanOrEqual(before);
      });

      it("all three restart after a database is recreated", async () => {
        const started = (service: string) => inspect(service, "{{.State.StartedAt}}");
        const before = await Promise.all(HYPERION.map(started));
        variables["QDRANT_MEMORY"] = "1g";
        await up(variables);
        const after = await Promise.all(HYPERION.map(started));
        expect(after.filter((time, index) => time === before[index])).toEqual([]);
        expect(await get("HYPERION_MCP_PORT", "/health")).toContain('"status":"healthy"');
        expect(await scanFromUi("/code")).toMatchObject({ status: "active" });
      });

      it("the servers are unhealthy while a database is down, and data survives a kill", async () => {
        await runCompose(["stop", "--timeout", "2", "qdrant"]);
        const health = await fetch(url("HYPERION_MCP_PORT", "/health"));
        expect([health.status, await health.text()]).toEqual([
          503,
          expect.stringContaining('"qdrant":{"status":"down"}'),
        ]);
        await runCompose(["kill"]);
        await up(variables);
        expect(await watched()).toBe('["/code"]');
      });

      it("the password of the database is changed by the commands of COMPOSE.md", async () => {
        const change = ["exec", "--no-TTY", "mongodb", "mongosh", "--username", "hyperion"];
        const statement = ["--authenticationDatabase", "admin", "admin", "--eval"];
        const words = [...change, ...statement, 'db.changeUserPassword("hyperion", passwordPrompt())'];
        passed(await compose(words, variables, "hyperion-inside-compose\nanother"));
        await up({ ...variables, MONGODB_PASSWORD: "another" });
        expect(await get("HYPERION_MCP_PORT", "/health")).toContain('"status":"healthy"');
      });
    });

    describe("in its own run", () => {
      afterEach(down);

      it("starts all six in order of health, without a login or settings", { tags: "feature" }, async () => {
        await runCompose(["pull", ...HYPERION]);
        await up();
        expect(await services()).toEqual(ALL);
        expect(await get("HYPERION_UI_PORT", "/health")).toBe("healthy\n");
        expect(await get("HYPERION_UI_PORT")).toContain("Hyperion dashboard (sample)");
        expect(await get("HYPERION_MCP_PORT", "/health")).toContain('"status":"healthy"');
        expect(await get("HYPERION_BRIDGE_PORT")).toContain('"mcpServer":"Hyperion MCP server (sample)"');

        const started = async (service: string) => Date.parse(await inspect(service, "{{.State.StartedAt}}"));
        for (const name of ["mongodb", "qdrant", "embedding-service"]) {
          expect(await started(name)).toBeLessThan(await started("hyperion-mcp-server"));
          expect(await started(name)).toBeLessThan(await started("hyperion-http-bridge"));
        }
        expect(await started("hyperion-http-bridge")).toBeLessThan(await started("hyperion-ui"));

        const reaches = (from: string, address: string) =>
          compose(["exec", from, "node", "-e", `fetch("http://${address}").catch(() => process.exit(1))`]);
        for (const address of ["mongodb:27017", "qdrant:6333"]) {
          passed(await reaches("hyperion-mcp-server", address));
          passed(await reaches("hyperion-http-bridge", address));
          const asked = await compose(["exec", "hyperion-ui", "wget", "-q", "-O", "-", `http://${address}`]);
          expect(asked.output).toContain(`bad address '${address}'`);
        }
        for (const service of HYPERION) {
          const written = await compose(["exec", "--user", "root", service, "sh", "-c", "echo > /file"]);
          expect(written.output).toContain("Read-only file system");
        }
      });

      describe("with a service elsewhere", () => {
        it.each([
          {
            what: "every service, if only addresses are set",
            variables: {
              MONGODB_URI: "mongodb://hyperion:hyperion-inside-compose@mongodb:27017",
              QDRANT_URL: "http://qdrant:6333",
              TEI_URL: "http://embedding-service:8080",
            },
            without: "",
          },
          {
            what: "no embedding service, if OpenAI replaces it",
            variables: { EMBEDDING: "openai", OPENAI_API_KEY: "key" },
            without: "embedding-service",
          },
          {
            what: "no embedding service, if it runs elsewhere",
            variables: { HYPERION_EMBEDDING: "elsewhere", TEI_URL: "http://tei.example.com" },
            without: "embedding-service",
          },
        ])("has $what", async ({ variables, without }) => {
          await runCompose(["create"], { ...variables, ...(without !== "" && { EMBEDDING_IMAGE: NOWHERE }) });
          expect(await services()).toEqual(ALL.filter((name) => name !== without));
        });

        it("uses databases that run elsewhere, and starts and pulls none", async () => {
          const variables = {
            HYPERION_QDRANT: "elsewhere",
            QDRANT_URL: "http://qdrant.example.com:6333",
            QDRANT_API_KEY: "key",
            HYPERION_MONGODB: "elsewhere",
            MONGODB_URI: "mongodb://dana:secret@mongodb.example.com:27017/?authSource=admin",
          };
          const nowhere = { QDRANT_IMAGE: NOWHERE, MONGODB_IMAGE: NOWHERE };
          await runCompose(["up", "--no-start"], { ...variables, ...nowhere });
          const startRemote = (name: string, image: string, ...settings: string[]) =>
            docker(
              ...[
                "run",
                "--detach",
                "--network",
                `${project}_default`,
                "--network-alias",
                `${name}.example.com`,
              ],
              ...settings.flatMap((each) => ["--env", each]),
              image,
            );
          const login = ["MONGO_INITDB_ROOT_USERNAME=dana", "MONGO_INITDB_ROOT_PASSWORD=secret"];
          const remotes = [
            await startRemote("qdrant", qdrant(), "QDRANT__SERVICE__API_KEY=key"),
            await startRemote("mongodb", fakes["MONGODB_IMAGE"] ?? "mongo:7.0", ...login),
          ];
          try {
            await up({ ...variables, ...nowhere });
            expect(await services()).toEqual(ALL.filter((name) => !["mongodb", "qdrant"].includes(name)));
            expect(await get("HYPERION_MCP_PORT", "/health")).toContain('"status":"healthy"');
          } finally {
            await docker("rm", "--force", "--volumes", ...remotes);
          }
        });
      });

      it("works if Docker sets a proxy in every container, and uses none between services", async () => {
        const DOCKER_CONFIG = await mkdtemp(join(sandbox.scratch, "proxy-"));
        const dead = "http://127.0.0.1:9";
        const proxies = { default: { httpProxy: dead, httpsProxy: dead, noProxy: "*.corp" } };
        await writeFile(join(DOCKER_CONFIG, "config.json"), JSON.stringify({ proxies }));
        await up({ DOCKER_CONFIG, NO_PROXY: "*.corp" });
        const environment = await inspect("hyperion-mcp-server", "{{json .Config.Env}}");
        expect(environment).toContain(`"HTTP_PROXY=${dead}"`);
        expect(environment).toContain(
          '"no_proxy=localhost,127.0.0.1,mongodb,qdrant,embedding-service,*.corp"',
        );
        expect(await get("HYPERION_MCP_PORT", "/health")).toContain('"status":"healthy"');
      });

      it("sets no-new-privileges, which Docker from snap refuses, unless it is turned off", async () => {
        const options = async (variables: Record<string, string>) => {
          await runCompose(["create", "hyperion-ui", "mongodb"], variables);
          const format = "{{json .HostConfig.SecurityOpt}}";
          return [await inspect("hyperion-ui", format), await inspect("mongodb", format)];
        };
        const of = (value: boolean) => `["no-new-privileges:${value}"]`;
        expect(await options({})).toEqual([of(true), of(true)]);
        expect(await options({ HYPERION_NO_NEW_PRIVILEGES: "false" })).toEqual([of(false), of(false)]);
      });

      it("starts nothing and creates no folder if the code folder is misspelt", async () => {
        const HYPERION_CODE = join(sandbox.scratch, "misspelt");
        const output = failed(await compose(["up", "--detach", "--wait"], { HYPERION_CODE }));
        expect(output).toContain(`bind source path does not exist: ${HYPERION_CODE}`);
        await expect(stat(HYPERION_CODE)).rejects.toThrow("ENOENT");
        expect(await runCompose(["ps", "--services"])).toBe("");
      });

      it("reaches a recreated bridge through nginx, which resolves an address only once", async () => {
        // Occupies an address until the bridge runs: the recreated bridge gets that one instead of its former address.
        await runCompose(["up", "--no-start"]);
        const network = ["--network", `${project}_default`];
        const first = await docker("run", "--detach", ...network, qdrant());
        await up();
        const networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
        const former = await inspect("hyperion-http-bridge", networks);
        await docker("rm", "--force", first);
        await up({ HYPERION_BRIDGE_PORT: otherPort });
        expect(await inspect("hyperion-http-bridge", networks)).not.toBe(former);
        const { status } = await fetch(url("HYPERION_UI_PORT", "/api/"));
        expect(status).toBe(200);
      });

      it("reports which service crashes, and starts none that needs it", async () => {
        const misspelt = { EMBEDDING_MODEL: "nomic-ai/misspelt" };
        const output = failed(await compose(["up", "--detach", "--wait"], misspelt));
        expect(output).toMatch(/dependency failed to start: container \S+embedding-service-1/);
        expect(await runCompose(["logs", "embedding-service"])).toContain(
          "Could not download model artifacts",
        );
        expect(await inspect("hyperion-mcp-server", "{{.State.Status}}")).toBe("created");
      });

      it("recovers when the databases start after the servers", async () => {
        await runCompose(["up", "--detach", "--no-deps", "hyperion-mcp-server", "hyperion-http-bridge"]);
        const restarts = async () => Number(await inspect("hyperion-mcp-server", "{{.RestartCount}}"));
        await expect.poll(restarts, POLL).toBeGreaterThan(0);
        await up();
        expect(await get("HYPERION_MCP_PORT", "/health")).toContain('"status":"healthy"');
        expect(await get("HYPERION_UI_PORT", "/health")).toContain("healthy");
      });

      it("upgrades each database with the commands of COMPOSE.md, and keeps its data", async () => {
        await up({ QDRANT_IMAGE: await buildVersion("qdrant", "v1.15.5") });
        await scanFromUi("/code");
        const steps = [await buildVersion("qdrant", "v1.16.3"), await buildVersion("qdrant", "v1.17.1")];
        for (const QDRANT_IMAGE of steps) await up({ QDRANT_IMAGE }, "qdrant");

        const MONGODB_IMAGE = await buildVersion("mongo", "8.0.4");
        const raise = async (version: string) => {
          const shell = ["exec", "--no-TTY", "mongodb", "mongosh", "--username", "hyperion"];
          const statement = `db.adminCommand({ setFeatureCompatibilityVersion: "${version}", confirm: true })`;
          const words = [...shell, "--authenticationDatabase", "admin", "admin", "--eval", statement];
          passed(await compose(words, {}, "hyperion-inside-compose\n"));
        };
        await raise("7.0");
        await up({ MONGODB_IMAGE });
        await raise("8.0");
        expect(await watched()).toBe('["/code"]');

        expect(failed(await check())).toContain("was last opened by MongoDB 8.0.4, and");
        await compose(["up", "--detach", "mongodb"]);
        await expect.poll(() => runCompose(["logs", "mongodb"]), POLL).toContain("UPGRADE PROBLEM");
      });

      describe("check-compose.sh", () => {
        it("reports a Qdrant volume that the next image cannot open, by its version or its format", async () => {
          await up({ QDRANT_IMAGE: await buildVersion("qdrant", "v1.15.5") });
          const skipping = failed(await check());
          expect(skipping).toContain("was last opened by Qdrant 1.15, and");
          expect(skipping).toContain("QDRANT_IMAGE=qdrant/qdrant:v1.16.3 docker compose up");
          await up();
          expect(passed(await check())).toContain("Nothing found");

          const plant = "mkdir /data/collections/code && echo 0.3.1 > /data/collections/code/version.info";
          await runCompose(["stop", "--timeout", "2", "qdrant"]);
          const within = ["--entrypoint", "sh", "--volume", `${project}_qdrant-data:/data`];
          await docker("run", "--rm", ...within, qdrant(), "-c", plant);
          expect(failed(await check())).toContain("a collection of format 0.3.1");
          await compose(["up", "--detach", "qdrant"]);
          const refusal = "Try to use older version of Qdrant first";
          await expect.poll(() => runCompose(["logs", "qdrant"]), POLL).toContain(refusal);
        });

        it("reports a MongoDB whose version and password differ from .env", async () => {
          const first = { MONGODB_PASSWORD: "first" };
          await up({ ...first, MONGODB_IMAGE: await buildVersion("mongo", "5.0.31") });
          const output = failed(await check({ MONGODB_PASSWORD: "second" }));
          expect(output).toContain("was last opened by MongoDB 5.0.31, and");
          expect(output).toContain("MongoDB refuses MONGODB_USERNAME and MONGODB_PASSWORD");
          expect(failed(await check(first))).not.toContain("refuses MONGODB_USERNAME");
        });

        // Docker 29 tries a registry without a trusted certificate by HTTP too, and reports that answer.
        it.skipIf(wantsCurrentEngine(process.env))(
          "reports an image that its version does not have",
          async () => {
            for (const { name } of images.slice(1)) {
              const image = `${sandbox.registry}/${name}`;
              await docker("pull", `${image}:1.4.2`);
              await docker("tag", `${image}:1.4.2`, `${image}:0.9.0`);
              await docker("push", `${image}:0.9.0`);
            }
            const at = (HYPERION_TAG: string) => check({ HYPERION_REGISTRY: sandbox.registry, HYPERION_TAG });
            expect(failed(await at("0.9.0"))).toContain(
              "has no hyperion-coordinator-mcp at HYPERION_TAG=0.9.0",
            );
            expect(failed(await at("9.9.9"))).toContain("the registry has no HYPERION_TAG=9.9.9");
            expect(passed(await at("1.4.2"))).toContain("Nothing found");
          },
        );
      });

      it("copies the data of an earlier compose file", async () => {
        const earlier = `${project}-earlier`;
        const volumes = ["mongodb_data", "mongodb_config", "qdrant_data"].map((name) => `${earlier}_${name}`);
        try {
          for (const volume of volumes) await docker("volume", "create", volume);
          await fillEarlier(`${earlier}_mongodb_data`);

          expect((await check()).output).toContain(`scripts/copy-compose-volumes.sh ${earlier}`);
          passed(await script("scripts/copy-compose-volumes.sh", [earlier]));
          expect((await check()).output).not.toContain("copy-compose-volumes");
          // A second run overwrites nothing.
          expect((await script("scripts/copy-compose-volumes.sh", [earlier])).output).toContain(
            "exists already",
          );

          await up({ MONGODB_USERNAME: "admin", MONGODB_PASSWORD: "admin123" });
          expect(await watched()).toBe('["/old"]');
          expect(await docker("volume", "ls", "--format", "{{.Name}}")).toContain(`${earlier}_mongodb_data`);
        } finally {
          await compose(["down", "--volumes", "--timeout", "2"]);
          await docker("volume", "rm", "--force", ...volumes);
        }
      });
    });
  });
});

describe("docker-compose.dev.yml, local sources", () => {
  afterEach(down);

  it(
    "starts from a clean clone, reloads edited files, and leaves no files in it",
    { tags: "feature" },
    async () => {
      const source = await mkdtemp(join(sandbox.scratch, "source-"));
      await cp(join(repositoryRoot, "sandbox/hyperion"), source, { recursive: true });
      await changeOwner(source, 1000);
      const variables = { HYPERION_SOURCE: source };
      const start = () => runCompose([...DEVELOPMENT, "up", "--detach", "--wait"], variables);
      const files = await readdir(source, { recursive: true });
      await start();
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
      await runCompose([...DEVELOPMENT, "down", "--timeout", "2"], variables);
      await start();
      const compiled = await runCompose([...DEVELOPMENT, "logs", "hyperion-mcp-server"], variables);
      expect(compiled).toContain("building...");
      expect(compiled).not.toContain("compiling");

      expect(await readdir(source, { recursive: true })).toEqual(files);
      for (const file of files) expect((await stat(join(source, file))).uid, file).toBe(1000);
    },
  );
});

/** Changes the owner of a folder and its contents. */
async function changeOwner(folder: string, user: number): Promise<void> {
  await chown(folder, user, user);
  for (const file of await readdir(folder, { recursive: true })) await chown(join(folder, file), user, user);
}

/** Fills a volume as an earlier compose file did, with another login and a folder in the index. */
async function fillEarlier(volume: string): Promise<void> {
  const login = ["--env", "MONGO_INITDB_ROOT_USERNAME=admin", "--env", "MONGO_INITDB_ROOT_PASSWORD=admin123"];
  const image = fakes["MONGODB_IMAGE"] ?? "mongo:7.0";
  const database = await docker("run", "--detach", ...login, "--volume", `${volume}:/data/db`, image);
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

/** Runs check-compose.sh on a folder with the compose file alone, with Compose as a plugin of Docker. */
async function check(variables?: Record<string, string>): Promise<Outcome> {
  const plugins = join(sandbox.scratch, "docker-config/cli-plugins");
  await mkdir(plugins, { recursive: true });
  await copyFile(composeCommand, join(plugins, "docker-compose"));
  const folder = await mkdtemp(join(sandbox.scratch, "downloaded-"));
  await copyFile(join(repositoryRoot, "docker-compose.yml"), join(folder, "docker-compose.yml"));
  return script("scripts/check-compose.sh", [folder], variables);
}

async function edit(file: string, from: string, to: string): Promise<void> {
  const before = await readFile(file, "utf8");
  expect(before).toContain(from);
  await writeFile(file, before.replaceAll(from, to));
}
