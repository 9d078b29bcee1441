import { inject } from "vitest";
import { openSandbox, type Sandbox, startSandbox } from "./sandbox";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of the sandbox that the test run shares, where `global-setup.ts` has started one. */
    sandboxFolder?: string;
  }
}

/**
 * The sandbox that the whole test run shares: for tests that leave its settings as they found them. One of its own
 * where none is shared. Its `stop` ends it only then.
 */
export async function sharedSandbox(): Promise<Sandbox> {
  const folder = inject("sandboxFolder");
  if (folder === undefined) return startSandbox();
  return { ...(await openSandbox(folder)), stop: () => Promise.resolve() };
}
