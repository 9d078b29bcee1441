import { dirname } from "node:path";
import type { TestProject } from "vitest/node";
import { startSandbox } from "./sandbox";

/** Starts the sandbox that `sharedSandbox` gives to every test file, and ends it after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const sandbox = await startSandbox();
  project.provide("sandboxFolder", dirname(sandbox.root));
  return () => sandbox.stop();
}
