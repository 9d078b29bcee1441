import { gcloudTokenFile } from "./gcloud-environment.ts";
import { mintAccessToken, MAINTAINER } from "../lib/tokens.ts";
import { writeWhole } from "../lib/files.ts";

/** Between two tokens, in milliseconds; each lives for an hour. */
const RENEW_MS = 10 * 60_000;

/** Writes a fresh access token of the maintainer for gcloud and the credential helper (0600). */
export async function writeTokenFile(sandboxDir: string): Promise<void> {
  await writeWhole(gcloudTokenFile(sandboxDir), await mintAccessToken(sandboxDir, MAINTAINER), 0o600);
}

/** Does so now and from then on, as long as this process runs. */
export async function keepTokenFile(sandboxDir: string): Promise<void> {
  await writeTokenFile(sandboxDir);
  setInterval(() => {
    writeTokenFile(sandboxDir).catch((error: unknown) => {
      console.error(`the access token was not renewed: ${String(error)}`);
    });
  }, RENEW_MS).unref();
}
