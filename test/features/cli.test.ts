import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { allProcesses, commandLine } from "../../sandbox/lib/processes.ts";
import type { SandboxStatus } from "../../sandbox/commands/status.ts";
import { failed, passed, stdoutOf } from "../support/outcome.ts";
import { runWords } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const sandbox = useSandbox();

async function readStatus(root: string): Promise<SandboxStatus> {
  return JSON.parse(stdoutOf(await runWords(root, "status", "--json"))) as SandboxStatus;
}

async function expectAllRunning(): Promise<void> {
  const { services } = await readStatus(sandbox.root);
  expect(services.map(({ state }) => state)).toEqual(["running", "running", "running"]);
}

/** The command lines of the processes that use this folder. */
function processesOf(folder: string): string[] {
  return allProcesses()
    .map(commandLine)
    .filter((line) => line.includes(`${folder}/`) && !line.includes("vitest"));
}

describe("up", () => {
  test("changes nothing the second time, takes seconds, and prints the summary", async () => {
    const began = Date.now();
    const output = passed(await sandbox.run("up"));
    expect(Date.now() - began).toBeLessThan(20_000);
    expect(output).toMatch(/Resources:\s+\d+ unchanged/);
    expect(output).toContain(`Registry  ${sandbox.registry}  (public: no)`);
    expect(output).toMatch(/hyperion-ui +latest +sha256:[0-9a-f]{64}/);
    expect(output).toContain(`docker pull ${sandbox.registry}/hyperion-coordinator-mcp:latest`);
  });

  test("changes no tracked file, even if a setting changes", async () => {
    const before = await sandbox.command("git", ["status", "--porcelain", "--", "Pulumi*.yaml"]);
    await sandbox.pulumi("config", "set", "cleanupKeepCount", "7");
    const after = await sandbox.command("git", ["status", "--porcelain", "--", "Pulumi*.yaml"]);
    expect(after.stdout).toBe(before.stdout);
    const copy = await readFile(join(sandboxPaths(sandbox.root).project, "Pulumi.sandbox.yaml"), "utf8");
    expect(copy).toContain('hyperion-registry:cleanupKeepCount: "7"');
    await sandbox.pulumi("config", "rm", "cleanupKeepCount");
  });

  test.each(["emulator", "registry", "docker"] as const)("restarts %s after it is killed", async (name) => {
    const killed = await sandbox.run("fault", name, "kill");
    if (killed.output.includes("is your own")) return;
    passed(killed);
    expect((await readStatus(sandbox.root)).services.filter(({ state }) => state === "stopped")).toHaveLength(
      1,
    );

    const refused = await sandbox.run("pulumi", "preview");
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(
      `the sandbox does not run: ${name} is stopped. Start it: npm run sandbox`,
    );

    passed(await sandbox.run("up", "--no-stack"));
    await expectAllRunning();
  });
});

describe("status", () => {
  test("reports each service with its address and start time, and the plugins", async () => {
    const status = await readStatus(sandbox.root);
    expect(status.services[0]).toMatchObject({
      service: "Google APIs",
      state: "running",
      where: sandbox.emulatorUrl,
    });
    expect(status.services[1]).toMatchObject({
      state: "running",
      where: `https://${sandbox.registry.split("/")[0] ?? ""}`,
    });
    for (const { since } of status.services)
      if (since !== undefined) expect(Date.now() - Date.parse(since)).toBeLessThan(3_600_000);
    expect(status.plugins.map(({ name }) => name)).toEqual(["gcp", "docker"]);
    for (const { kind } of status.plugins) expect(["real", "fake"]).toContain(kind);

    expect(passed(await sandbox.run("status"))).toMatch(/Registry .* running .* https:\/\/localhost:\d+/);
  });
});

describe("env", () => {
  test("lets pulumi run in a shell, from any folder", async () => {
    const shown = await sandbox.command("pulumi", ["stack", "output", "registryUrl"], {}, { cwd: "/" });
    expect(shown.stdout).toBe(sandbox.registry);
  });

  test("lets docker pull, build and push in a shell", async () => {
    const folder = await mkdtemp(join(sandbox.scratch, "build-"));
    const image = `${sandbox.registry}/hyperion-ui`;
    await writeFile(join(folder, "Dockerfile"), `# syntax-free\nFROM ${image}:latest\nLABEL made.by=test\n`);
    for (const args of [
      ["pull", `${image}:latest`],
      ["build", "--tag", `${image}:by-hand`, folder],
      ["push", `${image}:by-hand`],
    ]) {
      passed(await sandbox.docker(...args));
    }
  });

  test("lets skopeo read the registry, with its certificate", async ({ skip }) => {
    const { code: missing } = await sandbox.command("sh", ["-c", "command -v skopeo"]);
    skip(missing !== 0, "skopeo is not installed");
    passed(await sandbox.command("skopeo", ["inspect", `docker://${sandbox.registry}/hyperion-ui:latest`]));
  });

  test("uses neither the Docker configuration nor the Pulumi folder of the user", () => {
    for (const name of ["DOCKER_CONFIG", "PULUMI_HOME", "CLOUDSDK_CONFIG", "PULUMI_CONFIG_PASSPHRASE_FILE"])
      expect(sandbox.env[name]?.startsWith(sandbox.root), name).toBe(true);
    expect(sandbox.env["PULUMI_BACKEND_URL"]).toBe(
      `file://${sandboxPaths(sandbox.root).state}?metadata=skip`,
    );
  });
});

describe("the other subcommands", () => {
  test("token prints a token of a principal, and refuses an invalid principal", async () => {
    const { stdout } = await sandbox.run("token", "user:dana@example.com");
    const payload = Buffer.from(stdout.split(".")[1] ?? "", "base64url").toString();
    expect(JSON.parse(payload)).toMatchObject({ sub: "user:dana@example.com" });
    const refused = await sandbox.run("token", "dana");
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('"dana" is not a principal');
  });

  test("pulumi passes on every argument and the exit code", async () => {
    expect((await sandbox.run("pulumi", "stack", "ls", "--json")).stdout).toContain('"name": "sandbox"');
    failed(await sandbox.run("pulumi", "stack", "output", "no such output"));
    expect((await sandbox.run("pulumi", "--help")).output).toContain(
      "Pulumi - Modern Infrastructure as Code",
    );
  });

  test("an unknown subcommand and a missing sandbox are reported without a stack trace", async () => {
    const unknown = await sandbox.run("frobnicate");
    expect(unknown).toMatchObject({
      code: 1,
      output: expect.stringContaining('there is no subcommand "frobnicate"') as string,
    });
    const nowhere = join(tmpdir(), "hyp-nowhere");
    for (const words of [["env"], ["pulumi", "preview"], ["token", "user:dana@example.com"]]) {
      const { code, output } = await runWords(nowhere, ...words);
      expect(code).toBe(1);
      expect(output).toContain(`there is no sandbox in ${nowhere}. Start one: npm run sandbox`);
      expect(output).not.toContain("    at ");
    }
    passed(await runWords(nowhere, "down"));
    expect(existsSync(nowhere)).toBe(false);
  });
});

describe("two sandboxes at once", () => {
  test("share nothing, and down removes only its own sandbox", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hyp-second-"));
    const root = join(folder, "sb");
    passed(await runWords(root, "up", "--no-stack"));
    const addresses = (status: SandboxStatus) => status.services.slice(0, 2).map(({ where }) => where);
    const [one, other] = [await readStatus(sandbox.root), await readStatus(root)];
    expect(new Set([...addresses(one), ...addresses(other)]).size).toBe(4);
    expect(processesOf(root).length).toBeGreaterThan(1);

    passed(await runWords(root, "down"));
    expect(existsSync(root)).toBe(false);
    expect(processesOf(root)).toEqual([]);
    expect(await readFile("/proc/self/mountinfo", "utf8")).not.toContain(root);

    await expectAllRunning();
    passed(await sandbox.docker("pull", `${sandbox.registry}/hyperion-ui:latest`));
    await rm(folder, { recursive: true });
  });
});

// The last, because it removes the sandbox of this file.
describe("down", () => {
  test("leaves nothing, despite a running container, a protected stack and a killed service", async () => {
    await sandbox.docker("run", "--detach", `${sandbox.registry}/hyperion-ui:latest`);
    await sandbox.pulumi("stack", "init", "production");
    await sandbox.set({ publishImages: "false" }, "--stack", "production");
    await sandbox.up("--stack", "production");
    await sandbox.run("fault", "docker", "kill");

    const output = passed(await sandbox.run("down"));
    expect(output).toContain("Stack production is protected");
    expect(existsSync(sandbox.root)).toBe(false);
    expect(processesOf(sandbox.root)).toEqual([]);
    expect(await readFile("/proc/self/mountinfo", "utf8")).not.toContain(sandbox.root);
  });
});
