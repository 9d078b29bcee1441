import { existsSync } from "node:fs";
import { mintAccessToken } from "../lib/tokens.ts";
import { SandboxError } from "../lib/errors.ts";
import { noSandbox } from "../lib/require-sandbox.ts";
import { type SandboxPaths, sandboxPaths } from "../lib/paths.ts";

const PRINCIPAL = /^(user|serviceAccount):[^\s@]+@[^\s@]+$/;

/** An access token of a principal. Needs no running service. */
export async function token(principal: string, paths: SandboxPaths = sandboxPaths()): Promise<string> {
  if (!PRINCIPAL.test(principal))
    throw new SandboxError(
      `"${principal}" is not a principal: use user:NAME@DOMAIN or serviceAccount:NAME@PROJECT.iam.gserviceaccount.com`,
    );
  if (!existsSync(paths.key)) throw noSandbox(paths);
  return mintAccessToken(paths.root, principal);
}
