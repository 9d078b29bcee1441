import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, closeSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { SandboxError } from "./errors.ts";
import { writeWhole } from "./files.ts";
import type { SandboxPaths } from "./paths.ts";
import { identify, isAlive, type ProcessIdentity, terminate, waitUntil } from "./processes.ts";

export type ServiceName = "emulator" | "registry" | "docker";

/** A started service. */
export interface ServiceRecord extends ProcessIdentity {
  /** ISO 8601. */
  startedAt: string;
  /** Where it listens. */
  address: string;
}

export interface ServiceCommand {
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  address: string;
  /** Whether the service answers; polled. */
  ready: () => Promise<boolean>;
  /** Timeout for `ready`, in milliseconds. */
  readyWithinMs: number;
}

function recordFile(paths: SandboxPaths, name: ServiceName): string {
  return join(paths.run, `${name}.json`);
}

function logFile(paths: SandboxPaths, name: ServiceName): string {
  return join(paths.logs, `${name}.out.log`);
}

/** The record of a service, which may have ended. */
export function readRecord(paths: SandboxPaths, name: ServiceName): ServiceRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(paths, name), "utf8")) as ServiceRecord;
  } catch {
    return undefined;
  }
}

/** The record of a service whose process is alive. */
export function runningService(paths: SandboxPaths, name: ServiceName): ServiceRecord | undefined {
  const record = readRecord(paths, name);
  return record && isAlive(record) ? record : undefined;
}

/**
 * Starts a service in its own process group, which outlives this process. Its output goes to `logs/`.
 *
 * @throws SandboxError with the end of the log if the service exits or does not answer in time.
 */
export async function startService(
  paths: SandboxPaths,
  name: ServiceName,
  service: ServiceCommand,
): Promise<ServiceRecord> {
  mkdirSync(paths.run, { recursive: true });
  mkdirSync(paths.logs, { recursive: true });
  const log = openSync(logFile(paths, name), "a", 0o600);
  const begin = statSync(logFile(paths, name)).size;
  const child = spawn(service.command, service.args, {
    detached: true,
    stdio: ["ignore", log, log],
    env: service.env ?? process.env,
    cwd: service.cwd ?? paths.root,
  });
  closeSync(log);
  let failure: string | undefined;
  child.once("error", (error) => (failure = error.message));
  child.once(
    "exit",
    (code, by) => (failure ??= by ? `ended by ${by}` : `ended with exit code ${code ?? "?"}`),
  );
  child.unref();

  const identity = child.pid === undefined ? undefined : identify(child.pid);
  const record = identity && {
    ...identity,
    startedAt: new Date().toISOString(),
    address: service.address,
  };
  if (record) await writeWhole(recordFile(paths, name), `${JSON.stringify(record)}\n`);
  // The event `error` of a missing program fires in a later turn.
  await setImmediate();
  const answered = await waitUntil(
    async () => failure !== undefined || (await service.ready()),
    service.readyWithinMs,
  );
  // If the service exited, another program answered.
  if (record && answered && failure === undefined) return record;

  // Set before `terminate`, which changes `failure`.
  const reason = failure ?? `did not answer at ${service.address} within ${service.readyWithinMs / 1000} s`;
  if (record) await terminate(record, 2_000);
  rmSync(recordFile(paths, name), { force: true });
  throw new SandboxError(
    `the service "${name}" did not start: it ${reason}\n${lastLines(logFile(paths, name), begin)}` +
      `The whole log: ${logFile(paths, name)}`,
  );
}

/**
 * Starts a service unless it runs and answers. Ends a process that does not answer first.
 *
 * @param port TCP port that the service listens on.
 * @returns whether the service was started.
 */
export async function ensureService(
  paths: SandboxPaths,
  name: ServiceName,
  port: number,
  describe: () => ServiceCommand,
): Promise<boolean> {
  const service = describe();
  if (runningService(paths, name) && (await waitUntil(service.ready, 3_000))) return false;
  await stopService(paths, name);
  if (await accepts(port))
    throw new SandboxError(
      `port ${port} of 127.0.0.1, which the service "${name}" of this sandbox uses, is in use by another program.\n` +
        "End that program, or start again with other ports:\n" +
        "    npm run sandbox -- down --force && npm run sandbox",
    );
  await startService(paths, name, service);
  return true;
}

/** Whether a server accepts connections on this port of 127.0.0.1. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.setTimeout(2_000, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Ends a service and removes its record. */
export async function stopService(paths: SandboxPaths, name: ServiceName, graceMs = 5_000): Promise<void> {
  const record = readRecord(paths, name);
  if (record) await terminate(record, graceMs);
  rmSync(recordFile(paths, name), { force: true });
}

function lastLines(file: string, begin: number): string {
  const text = readFileSync(file).subarray(begin).toString("utf8").trim();
  if (text === "") return "";
  return `${text
    .split("\n")
    .filter((line) => !line.includes("level=info"))
    .slice(-8)
    .map((line) => `    ${line}`)
    .join("\n")}\n`;
}
