import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SandboxPaths, sandboxPaths } from "./paths.ts";
import { candidatePorts, ensureConfig, readConfig } from "./config.ts";
import { allProcesses, commandLine, identify, isAlive } from "./processes.ts";
import {
  ensureService,
  runningService,
  type ServiceCommand,
  startService,
  stopService,
} from "./supervision.ts";

let paths: SandboxPaths;

beforeEach(async () => {
  paths = sandboxPaths(join(await mkdtemp(join(tmpdir(), "hyperion-services-")), "sandbox"));
});

afterEach(async () => {
  await stopService(paths, "emulator", 100);
  await rm(join(paths.root, ".."), { recursive: true });
});

describe("ports", () => {
  test("are chosen once and kept", async () => {
    const config = await ensureConfig(paths);
    expect(config.emulatorPort).not.toBe(config.registryPort);
    expect(await ensureConfig(paths)).toEqual(config);
    expect(readConfig(paths)).toEqual(config);
  });

  test("are never among those that the system gives to connections", () => {
    for (const start of [20_000, 31_999])
      for (const port of candidatePorts(start)) expect(port >= 20_000 && port < 32_000).toBe(true);
  });

  test("a damaged file says how to begin afresh", async () => {
    await mkdir(paths.root);
    await writeFile(paths.config, '{"emulatorPort": ');
    expect(() => readConfig(paths)).toThrow("npm run sandbox -- down --force");
  });

  test("a folder that holds something else is refused", async () => {
    await mkdir(join(paths.root, "photos"), { recursive: true });
    await expect(ensureConfig(paths)).rejects.toThrow("holds something else already (photos)");
  });
});

describe("a service", () => {
  const command = (script: string, extra: Partial<ServiceCommand> = {}): ServiceCommand => ({
    command: "sh",
    args: ["-c", script],
    address: "nowhere",
    ready: () => Promise.resolve(true),
    readyWithinMs: 2_000,
    ...extra,
  });
  const named = (marker: string) => allProcesses().filter((pid) => commandLine(pid).includes(marker));

  beforeEach(() => mkdir(paths.root));

  test("runs on its own and is ended with all that it started", async () => {
    const record = await startService(
      paths,
      "emulator",
      command("sleep 4711 & trap '' TERM; sleep 4711; sleep 4711"),
    );
    expect(runningService(paths, "emulator")).toEqual(record);
    await stopService(paths, "emulator", 200);
    expect(isAlive(record)).toBe(false);
    expect(named("sleep 4711")).toEqual([]);
    expect(runningService(paths, "emulator")).toBeUndefined();
  });

  test("that ends at once is told with the end of its log", async () => {
    const start = startService(
      paths,
      "emulator",
      command("echo the reason; exit 3", { ready: () => Promise.resolve(false) }),
    );
    await expect(start).rejects.toThrow(
      /"emulator" did not start: it ended with exit code 3\n {4}the reason/,
    );
    expect(existsSync(join(paths.run, "emulator.json"))).toBe(false);
  });

  test("that never answers is ended", async () => {
    const start = startService(
      paths,
      "emulator",
      command("sleep 4712", { ready: () => Promise.resolve(false), readyWithinMs: 200 }),
    );
    await expect(start).rejects.toThrow("did not answer at nowhere within 0.2 s");
    expect(named("sleep 4712")).toEqual([]);
  });

  test("whose program is missing is told", async () => {
    const start = startService(paths, "emulator", command("", { command: "/no/such/program" }));
    await expect(start).rejects.toThrow("ENOENT");
  });

  test("of another start with the same process number is not taken for it", async () => {
    const mine = identify(process.pid);
    await mkdir(paths.run);
    await writeFile(join(paths.run, "emulator.json"), JSON.stringify({ ...mine, startTicks: "1" }));
    expect(runningService(paths, "emulator")).toBeUndefined();
    // This process is still here to tell.
    await stopService(paths, "emulator");
  });

  test("is left alone while it answers, and names a port that another program took", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    try {
      await expect(ensureService(paths, "emulator", port, () => command("sleep 4713"))).rejects.toThrow(
        `port ${port} of 127.0.0.1, which the service "emulator" of this sandbox uses, is taken`,
      );
    } finally {
      server.close();
    }
    expect(await ensureService(paths, "emulator", port, () => command("sleep 4713"))).toBe(true);
    expect(await ensureService(paths, "emulator", port, () => command("sleep 4713"))).toBe(false);
  });
});
