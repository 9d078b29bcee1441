import { decodeJwt } from "jose";
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { gcloudTokenFile } from "../../sandbox/services/gcloud-environment.ts";
import { mintAccessToken, MAINTAINER } from "../../sandbox/lib/tokens.ts";
import { sandboxPaths, type SandboxPaths } from "../../sandbox/lib/paths.ts";
import { listeningAddresses } from "../support/listening.ts";
import { passed, stdoutOf } from "../support/outcome.ts";
import { commandIn, runCommand } from "../support/sandbox.ts";
import { exposedFiles } from "../support/secrets/files.ts";
import { privateLine } from "../support/secrets/secrets.ts";
import { type Leak, leakMessage } from "../support/secrets/watch.ts";
import { checkSandboxes, scanSandbox } from "../support/secrets/watching.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const sandbox = useSandbox();
let paths: SandboxPaths;
let key: string;
let token: string;

beforeAll(async () => {
  paths = sandboxPaths(sandbox.root);
  key = privateLine(await readFile(paths.key, "utf8"));
  token = await mintAccessToken(sandbox.root, "user:dana@example.com");
});

const KEY = "the key of registry and tokens";
const PASSPHRASE = "the passphrase of the stacks";
const TOKEN = "a token of user:dana@example.com";

/** Expects exactly these leaks, each reported without its value. */
async function expectLeaks(...expected: Leak[]): Promise<void> {
  const leaks = await scanSandbox(sandbox.root);
  expect(leaks).toEqual(expect.arrayContaining(expected));
  expect(leaks).toHaveLength(expected.length);
  const message = leakMessage(leaks);
  for (const { secret, form, where } of expected)
    expect(message).toContain(`  ${secret}, ${form}, in ${where}`);
  for (const value of [key, token, await readFile(paths.passphrase, "utf8")])
    expect(message).not.toContain(value.slice(4, 40));
}

describe("a leak", () => {
  const form = "raw";

  test("in a log is found", async () => {
    const log = join(paths.logs, "emulator.log");
    const { size } = await stat(log);
    await appendFile(log, `a line with ${key} in it\n`);
    await expectLeaks({ secret: KEY, form, where: "logs/emulator.log" });
    await truncate(log, size);
  });

  test.each([
    "state/.pulumi/stacks/hyperion-registry/planted.json",
    "state/.pulumi/history/hyperion-registry/sandbox/planted.checkpoint.json",
  ])("in %s is found", async (where) => {
    const file = join(sandbox.root, where);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify({ password: key }), { mode: 0o600 });
    await expectLeaks({ secret: KEY, form, where });
    await rm(file);
  });

  test("in a file that everyone can read is found, but not in a private one", async () => {
    const [open, own] = [join(sandbox.root, "planted"), join(sandbox.root, "planted-privately")];
    await writeFile(open, key, { mode: 0o644 });
    await writeFile(own, key, { mode: 0o600 });
    await expectLeaks({ secret: KEY, form, where: "planted" });
    await rm(open);
    await rm(own);
  });

  test("in a process's command line is found", async () => {
    await runCommand("sh", ["-c", "sleep 0.5", key], process.env);
    await expectLeaks({ secret: KEY, form, where: "the process list, as an argument of sh" });
  });

  test("in the output and the arguments of a command is found", async () => {
    await sandbox.docker("image", "ls", "--format", key);
    const leaks = await scanSandbox(sandbox.root);
    const places = leaks
      .filter(({ where }) => !where.startsWith("the process list"))
      .map(({ where }) => where);
    expect(places).toEqual(["the command line of `docker image`", "the output of `docker image`"]);
    expect(new Set(leaks.map((leak) => `${leak.secret} ${leak.form}`))).toEqual(new Set([`${KEY} ${form}`]));
  });

  test("in an image's history and configuration is found", async () => {
    const folder = await mkdtemp(join(sandbox.scratch, "leak-"));
    // Not on a command line: `docker build --build-arg` would leak there as well.
    await writeFile(
      join(folder, "Dockerfile"),
      `FROM hyperion-sandbox-base:24-$TARGETARCH\nENV PASSWORD=${key}\n`,
    );
    // Without a record of the output, because the classic builder prints the line of the Dockerfile.
    const build = ["build", "--quiet", "--tag", "planted", folder];
    passed(await runCommand("docker", build, { ...sandbox.env, DOCKER_BUILDKIT: "1" }));
    const id = stdoutOf(await sandbox.docker("image", "ls", "--quiet", "--no-trunc", "planted"));
    await expectLeaks(
      { secret: KEY, form, where: "the configuration of an image" },
      { secret: KEY, form, where: `the history of image ${id}` },
    );
    await sandbox.docker("image", "rm", "--force", "planted");
  });
});

/** The functions with which tests run a command, how reports name that command, and how to make it print a text. */
const RUNNERS: [way: string, called: string, print: (text: string) => Promise<unknown>][] = [
  ["command", "printenv PLANTED", (text) => sandbox.command("printenv", ["PLANTED"], { PLANTED: text })],
  ["command that reads", "cat -", (input) => sandbox.command("cat", ["-"], {}, { input })],
  ["with", "printenv PLANTED", (PLANTED) => sandbox.with({ PLANTED }).command("printenv", ["PLANTED"])],
  ["docker", "docker image", (text) => sandbox.docker("image", "ls", "--format", text)],
  ["anonymousDocker", "docker image", (text) => sandbox.anonymousDocker("image", "ls", "--format", text)],
  ["tryPulumi", "pulumi config", (text) => sandbox.tryPulumi("config", "get", text)],
  ["pulumi", "pulumi config", (text) => sandbox.pulumi("config", "get", text).catch(() => undefined)],
  ["run", "pulumi config", (text) => sandbox.run("pulumi", "config", "get", text)],
  ["start", "sh -c", (text) => sandbox.start("sh", ["-c", `echo '${text}'`]).ended],
  [
    "commandIn",
    "printenv PLANTED",
    (text) => commandIn(sandbox.root, "printenv", ["PLANTED"], { ...sandbox.env, PLANTED: text }),
  ],
];

test.each(RUNNERS)("a leak in the output of `%s` is found", async (_, called, print) => {
  await print(key);
  const found = (await scanSandbox(sandbox.root)).map(({ secret, where }) => [secret, where]);
  expect(found).toContainEqual([KEY, `the output of \`${called}\``]);
});

/** Runs `look` while a log contains this text. */
async function withLog(text: string, look: () => Promise<void>): Promise<void> {
  const log = join(paths.logs, "planted.log");
  await writeFile(log, text);
  await look();
  await rm(log);
}

describe("the scan", () => {
  test("finds a new token", async () => {
    const leak = { secret: TOKEN, form: "raw", where: "logs/planted.log" } as const;
    await withLog(token, () => expectLeaks(leak));
  });

  test("finds the passphrase", async () => {
    const leak = { secret: PASSPHRASE, form: "raw", where: "logs/planted.log" } as const;
    await withLog(await readFile(paths.passphrase, "utf8"), () => expectLeaks(leak));
  });

  test("ignores a token that a command prints on request", async () => {
    await sandbox.run("token", "user:dana@example.com");
    await sandbox.run("env");
    await expectLeaks();
  });

  test("fails the test that caused a leak", async () => {
    await withLog(token, () =>
      expect(checkSandboxes()).rejects.toThrow(
        "Secrets in the clear:\n  a token of user:dana@example.com, raw, in logs/planted.log",
      ),
    );
  });

  test("ignores a sandbox that no longer exists", () => {
    expect(exposedFiles(join(sandbox.root, "missing"))).toEqual([]);
  });

  test("takes less than half a second without a leak", async () => {
    await checkSandboxes();
    const before = performance.now();
    await checkSandboxes();
    expect(performance.now() - before).toBeLessThan(500);
  });
});

test.each(["--json", "--debug"])(
  "the debug log of an up that pushes, printed with %s, contains no login",
  async (option) => {
    await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n// changed\n");
    await sandbox.set({ version: option === "--json" ? "1.0.0" : "1.1.0" });
    expect(await sandbox.up(option)).toMatch(/"severity": ?"debug"|debug: /);
    await expectLeaks();
  },
);

describe("the sandbox", () => {
  test("listens on loopback only", () => {
    const addresses = listeningAddresses(paths);
    // The emulated APIs and the registry at least.
    expect(addresses.length).toBeGreaterThanOrEqual(2);
    expect(addresses.filter((address) => !/^(127\.|::1$|::ffff:127\.)/.test(address))).toEqual([]);
  });

  test("lets only its owner read its keys", async () => {
    await sandbox.run("github-token");
    const files = [
      paths.key,
      paths.passphrase,
      sandboxPaths(sandbox.root).githubKey,
      gcloudTokenFile(sandbox.root),
      paths.registryConfig,
    ];
    for (const file of files)
      expect([file, ((await stat(file)).mode & 0o777).toString(8)]).toEqual([file, "600"]);
    expect(((await stat(paths.keys)).mode & 0o777).toString(8)).toBe("700");
  });

  test("creates tokens that expire after one hour, or twelve for a shell", async () => {
    const lifetime = (jwt: string): number => {
      const { iat = 0, exp = Infinity } = decodeJwt(jwt.trim());
      return exp - iat;
    };
    expect(lifetime((await sandbox.run("token", MAINTAINER)).stdout)).toBe(3600);
    expect(lifetime(await readFile(gcloudTokenFile(sandbox.root), "utf8"))).toBe(3600);
    expect(lifetime(sandbox.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "")).toBe(12 * 3600);
  });

  test("refuses an expired token at the APIs and at the registry", async () => {
    const expired = await mintAccessToken(sandbox.root, MAINTAINER, -1);
    const api = await fetch(`${sandbox.emulatorUrl}/v1/projects/hyperion-sandbox`, {
      headers: { Authorization: `Bearer ${expired}` },
    });
    expect(api.status).toBe(401);
    const password = Buffer.from(`oauth2accesstoken:${expired}`).toString("base64");
    const scope = "repository:hyperion-sandbox/hyperion-public/hyperion-ui:pull";
    const url = `${sandbox.emulatorUrl}/token?service=registry&scope=${encodeURIComponent(scope)}`;
    const registry = await fetch(url, { headers: { Authorization: `Basic ${password}` } });
    expect(registry.status).toBe(401);
    expect(await registry.text()).toContain("the access token has expired");
  });
});
