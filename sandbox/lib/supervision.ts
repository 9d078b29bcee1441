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

/** The services that run in the background. */
export type ServiceName = "emulator" | "registry" | "docker";

/** What is known of a service that was started. */
export interface ServiceRecord extends ProcessIdentity {
  /** When it was started, ISO 8601. */
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
  /** Whether it answers; asked until it does. */
  ready: () => Promise<boolean>;
  /** How long it may take to answer, in milliseconds. */
  readyWithinMs: number;
}

function recordFile(paths: SandboxPaths, name: ServiceName): string {
  return join(paths.run, `${name}.json`);
}

function logFile(paths: SandboxPaths, name: ServiceName): string {
  return join(paths.logs, `${name}.out.log`);
}

/** The record of a service, whether it still runs or not. */
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
 * Starts a service in the background, as the leader of a process group of its own that outlives this process,
 * with its output in `logs/`. Throws with the end of the log when it ends or does not answer in time.
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
  // A program that cannot be started is told in a later turn only.
  await setImmediate();
  const answered = await waitUntil(
    async () => failure !== undefined || (await service.ready()),
    service.readyWithinMs,
  );
  // A service that ended is not ready, whoever answered in its place.
  if (record && answered && failure === undefined) return record;

  // Before it is ended from here, which would be told as the reason.
  const reason = failure ?? `did not answer at ${service.address} within ${service.readyWithinMs / 1000} s`;
  if (record) await terminate(record, 2_000);
  rmSync(recordFile(paths, name), { force: true });
  throw new SandboxError(
    `the service "${name}" did not start: it ${reason}\n${lastLines(logFile(paths, name), begin)}` +
      `The whole log: ${logFile(paths, name)}`,
  );
}

/**
 * Starts a service unless its process is alive and answers; one that is alive and silent is ended first.
 * `port` is the TCP port that it will listen on. Returns whether it was started now.
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
      `port ${port} of 127.0.0.1, which the service "${name}" of this sandbox uses, is taken by another program.\n` +
        "End that program, or let the sandbox choose other ports by beginning afresh:\n" +
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

/** Ends a service that was started, and forgets it. */
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
