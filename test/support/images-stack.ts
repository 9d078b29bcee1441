import { relative } from "node:path";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import type { Sandbox } from "./sandbox.ts";

/** Creates the stack `images`, which publishes to the registry of the sandbox's stack. */
export async function initImagesStack(
  sandbox: Sandbox,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  await sandbox.pulumi("stack", "init", "images", "--no-select");
  const own = {
    "gcp:project": "hyperion-sandbox",
    "gcp:region": "us-central1",
    manageRegistry: "false",
    sourceDir: relative(repositoryRoot, sandbox.sources),
  };
  await sandbox.set({ ...own, ...settings }, "--stack", "images");
}
