import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, inject } from "vitest";
import { makeReady } from "../../sandbox/commands/make-ready.ts";
import type { RunStep } from "../../sandbox/commands/steps.ts";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { allProcesses, commandLine, signal } from "../../sandbox/lib/processes.ts";
import { stopService } from "../../sandbox/lib/supervision.ts";
import { Engine } from "./engine.ts";
import { makeSandbox, openSandbox, type Sandbox, succeed } from "./sandbox.ts";

/**
 * The worker's sandbox in its state after the first `up`, available in hooks and tests of a file. Restoring that state is
 * faster than another `up`, which takes about ten seconds of both cores.
 */
export function useSandbox(): Sandbox {
  const sandbox = {} as Sandbox;
  beforeAll(async () => {
    Object.assign(sandbox, await readySandbox());
  });
  afterAll(() => sandbox.stop());
  return sandbox;
}

/** Restores the sandbox, or creates one if it does not exist or cannot be restored. */
async function readySandbox(): Promise<Sandbox> {
  const folder = join(inject("sandboxes"), process.env["VITEST_POOL_ID"] ?? "1");
  const paths = sandboxPaths(join(folder, "sb"));
  if (!existsSync(paths.config) || !(await restore(folder))) {
    if (existsSync(paths.config)) await succeed(paths.root, "down", "--force");
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await makeSandbox(folder);
    await keep(folder);
  }
  return openSandbox(folder);
}

/** Files that are not restored: the engine's, and downloads. */
const STAYS = ["sb/docker", "sb/run/docker.json", "sb/logs/docker.out.log", "sb/cache"];
const SERVICES = ["registry", "emulator"] as const;

const keptFiles = (folder: string): string => `${folder}.kept/files`;
const keptImages = (folder: string): string => `${folder}.kept/images.json`;

async function copy(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
    filter: (source) => !STAYS.includes(relative(from, source)),
  });
}

/** Copies the sandbox's files, and the names of its images. */
async function keep(folder: string): Promise<void> {
  await rm(`${folder}.kept`, { recursive: true, force: true });
  await copy(folder, keptFiles(folder));
  const engine = await Engine.of(join(folder, "sb"));
  await writeFile(keptImages(folder), JSON.stringify(await engine.images()));
}

/** Restores the sandbox; false if an image is not available. */
async function restore(folder: string): Promise<boolean> {
  const paths = sandboxPaths(join(folder, "sb"));
  for (const pid of allProcesses()) if (commandLine(pid).includes(paths.project)) signal(pid, "SIGKILL");
  for (const service of SERVICES) await stopService(paths, service, 0);
  await empty(folder);
  await copy(keptFiles(folder), folder);
  for (const service of SERVICES) await rm(join(paths.run, `${service}.json`));
  await makeReady(paths, quietly);
  const engine = await Engine.of(paths.root);
  return engine.restore(JSON.parse(await readFile(keptImages(folder), "utf8")) as Record<string, string>);
}

/** Runs a step of the sandbox's start without printing it. */
const quietly: RunStep = (_, work) => work(ignore, ignore);
const ignore = (): void => undefined;

/** Removes everything below a folder except `STAYS`. */
async function empty(folder: string, below = ""): Promise<void> {
  for (const { name } of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = join(below, name);
    if (STAYS.includes(path)) continue;
    if (STAYS.some((each) => each.startsWith(`${path}/`))) await empty(folder, path);
    else await rm(join(folder, path), { recursive: true });
  }
}
