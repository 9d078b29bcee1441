import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listen } from "../../test/support/listen.ts";
import { useScratch } from "../../test/support/scratch.ts";
import { type SandboxPaths, sandboxPaths } from "./paths.ts";
import { ensureConfig, readConfig } from "./config.ts";
import { allProcesses, commandLine, identify, isAlive } from "./processes.ts";
import {
  ensureService,
  runningService,
  type ServiceCommand,
  startService,
  stopService,
} from "./supervision.ts";

const scratch = useScratch();
let paths: SandboxPaths;

beforeEach(() => {
  paths = sandboxPaths(scratch.path("sandbox"));
});

afterEach(() => stopService(paths, "emulator", 100));

describe("ports", () => {
  test("are chosen once and kept", async () => {
    const config = await ensureConfig(paths);
    expect(config.emulatorPort).not.toBe(config.registryPort);
    expect(await ensureConfig(paths)).toEqual(config);
    expect(readConfig(paths)).toEqual(config);
  });

  test("a damaged file is reported with the command that starts again", async () => {
    await mkdir(paths.root);
    await writeFile(paths.config, '{"emulatorPort": ');
    expect(() => readConfig(paths)).toThrow("npm run sandbox -- down --force");
  });

  test("a folder with other files is refused", async () => {
    await mkdir(join(paths.root, "photos"), { recursive: true });
    await expect(ensureConfig(paths)).rejects.toThrow("contains other files (photos)");
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

  test("runs in the background and ends with its children", async () => {
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

  test("that exits immediately is reported with the end of its log", async () => {
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

  test("that does not answer is ended", async () => {
    const start = startService(
      paths,
      "emulator",
      command("sleep 4712", { ready: () => Promise.resolve(false), readyWithinMs: 200 }),
    );
    await expect(start).rejects.toThrow("did not answer at nowhere within 0.2 s");
    expect(named("sleep 4712")).toEqual([]);
  });

  test("with a missing program is reported", async () => {
    const start = startService(paths, "emulator", command("", { command: "/no/such/program" }));
    await expect(start).rejects.toThrow("ENOENT");
  });

  test("is not confused with a process that reuses its pid", async () => {
    const mine = identify(process.pid);
    await mkdir(paths.run);
    await writeFile(join(paths.run, "emulator.json"), JSON.stringify({ ...mine, startTicks: "1" }));
    expect(runningService(paths, "emulator")).toBeUndefined();
    // This process is still alive.
    await stopService(paths, "emulator");
  });

  test("is not restarted while it answers, and reports a port that another program uses", async () => {
    const server = createServer();
    const port = await listen(server);
    try {
      await expect(ensureService(paths, "emulator", port, () => command("sleep 4713"))).rejects.toThrow(
        `port ${port} of 127.0.0.1, which the service "emulator" of this sandbox uses, is in use`,
      );
    } finally {
      server.close();
    }
    expect(await ensureService(paths, "emulator", port, () => command("sleep 4713"))).toBe(true);
    expect(await ensureService(paths, "emulator", port, () => command("sleep 4713"))).toBe(false);
  });
});
