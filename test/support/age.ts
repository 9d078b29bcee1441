import { utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Sandbox } from "./sandbox.ts";

const DAY_MS = 86_400_000;

/** Lets a version in the stack's repository have been pushed so many days ago: the registry takes that from a file. */
export async function makeOld({ root }: Sandbox, image: string, digest: string, days: number): Promise<void> {
  const link = `hyperion-sandbox/hyperion-public/${image}/_manifests/revisions/${digest.replace(":", "/")}/link`;
  const then = new Date(Date.now() - days * DAY_MS);
  await utimes(join(root, "registry/docker/registry/v2/repositories", link), then, then);
}
