import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of the shared sandboxes: one for each worker, by `VITEST_POOL_ID`. */
    sandboxes: string;
  }
}

/** Creates the folder of the shared sandboxes, and takes them down at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const sandboxes = await mkdtemp(join(tmpdir(), "hyp-"));
  project.provide("sandboxes", sandboxes);
  return async () => {
    for (const name of await readdir(sandboxes)) {
      const { root, config } = sandboxPaths(join(sandboxes, name, "sb"));
      if (!existsSync(config)) continue;
      const { succeed } = await import("./sandbox.ts");
      await succeed(root, "down", "--force");
    }
    await rm(sandboxes, { recursive: true, force: true });
  };
}
