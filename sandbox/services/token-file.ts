import { gcloudTokenFile } from "./gcloud-environment.ts";
import { mintAccessToken, MAINTAINER } from "../lib/tokens.ts";
import { writeWhole } from "../lib/files.ts";

/** Tokens live for an hour. */
const RENEW_MS = 10 * 60_000;

/** Writes an access token of the maintainer for gcloud and the credential helper (mode 0600). */
export async function writeTokenFile(sandboxDir: string): Promise<void> {
  await writeWhole(gcloudTokenFile(sandboxDir), await mintAccessToken(sandboxDir, MAINTAINER), 0o600);
}

/** Keeps the token fresh while this process runs. */
export async function keepTokenFile(sandboxDir: string): Promise<void> {
  await writeTokenFile(sandboxDir);
  setInterval(() => {
    writeTokenFile(sandboxDir).catch((error: unknown) => {
      console.error(`the access token was not renewed: ${String(error)}`);
    });
  }, RENEW_MS).unref();
}
