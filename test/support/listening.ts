import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { SandboxPaths } from "../../sandbox/lib/paths.ts";
import { runningService } from "../../sandbox/lib/supervision.ts";
import { withDescendants } from "./processes.ts";

const LISTEN = "0A";

/** TCP addresses that the services of a sandbox and their children listen on. */
export function listeningAddresses(paths: SandboxPaths): string[] {
  const services = (["emulator", "registry", "docker"] as const).flatMap(
    (name) => runningService(paths, name)?.pid ?? [],
  );
  return services.flatMap(withDescendants).flatMap(addressesOf);
}

function addressesOf(pid: number): string[] {
  const sockets = socketsOf(pid);
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode = ""]) => state === LISTEN && sockets.has(inode))
      .map(([, local = ""]) => addressOf(local.split(":")[0] ?? "")),
  );
}

function socketsOf(pid: number): Set<string> {
  const inodes = readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? [];
    } catch {
      return []; // Closed.
    }
  });
  return new Set(inodes);
}

/** Converts the kernel's format: 32-bit words in little-endian order. */
function addressOf(hex: string): string {
  const bytes = [...hex.matchAll(/.{8}/g)].flatMap(([word]) => [...Buffer.from(word, "hex")].reverse());
  if (bytes.length === 4) return bytes.join(".");
  const mapped = bytes.slice(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 0xff));
  if (mapped) return `::ffff:${bytes.slice(12).join(".")}`;
  if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return "::1";
  return Buffer.from(bytes).toString("hex");
}
