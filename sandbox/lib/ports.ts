import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readlink, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { whileHolding } from "./lock.ts";

// Below Linux's ephemeral ports (32768 and up), so that no outgoing connection takes a port while its service is down.
const FIRST = 20_000;
const LAST = 32_000;

/** Has a link for each claimed port, to the folder that the port is claimed for. */
const CLAIMS = join(tmpdir(), `hyperion-ports-${process.getuid?.() ?? ""}`);

/**
 * Chooses free ports that no other sandbox or test has chosen. The claim ends when `folder` is removed, or with the next
 * claim for it.
 */
export async function claimPorts(folder: string, count: number): Promise<number[]> {
  await mkdir(CLAIMS, { recursive: true, mode: 0o700 });
  return whileHolding(`${CLAIMS}.lock`, async () => {
    for (const port of await readdir(CLAIMS)) {
      const claim = join(CLAIMS, port);
      if (!existsSync(claim) || (await readlink(claim)) === folder) await rm(claim);
    }
    const claimed = new Set((await readdir(CLAIMS)).map(Number));
    const ports: number[] = [];
    while (ports.length < count) {
      const port = await getPort({ port: candidatePorts(), exclude: claimed });
      await symlink(folder, join(CLAIMS, String(port)));
      claimed.add(port);
      ports.push(port);
    }
    return ports;
  });
}

/** Starts at a random port. */
function candidatePorts(): number[] {
  const start = randomInt(LAST - FIRST);
  return Array.from({ length: 200 }, (_, step) => FIRST + ((start + step) % (LAST - FIRST)));
}
