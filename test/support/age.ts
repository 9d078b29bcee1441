import { utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Sandbox } from "./sandbox.ts";

const DAY_MS = 86_400_000;

/** Sets the push time of a version, which is the modification time of its manifest. */
export async function makeOld({ root }: Sandbox, digest: string, days: number): Promise<void> {
  const hash = digest.replace("sha256:", "");
  const then = new Date(Date.now() - days * DAY_MS);
  await utimes(
    join(root, "registry/docker/registry/v2/blobs/sha256", hash.slice(0, 2), hash, "data"),
    then,
    then,
  );
}
