import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmulator } from "../../emulator/server.ts";
import { writeTestKeys } from "../../emulator/testing/keys.ts";
import { endpointVariables } from "../../lib/google-endpoints.ts";
import { MAINTAINER, mintAccessToken } from "../../lib/tokens.ts";
import { GoogleClient } from "../gcp/client.ts";
import { readSettings } from "../gcp/settings.ts";

/** The emulated Google in this process, with a new state in a temporary folder. */
export interface EmulatedGoogle {
  /** The maintainer's client, which waits milliseconds instead of seconds. */
  client: GoogleClient;
  stop(): Promise<void>;
}

export async function startEmulatedGoogle(project: string): Promise<EmulatedGoogle> {
  const folder = await mkdtemp(join(tmpdir(), "hyperion-gcp-"));
  await writeTestKeys(folder);
  const emulator = await startEmulator({ sandboxDir: folder, port: 0, registryPort: 5001 });
  const settings = { project, region: "us-central1", userProjectOverride: "true", billingProject: project };
  const environment = {
    ...endpointVariables(emulator.url.replace(/\/$/, "")),
    GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(folder, MAINTAINER),
  };
  return {
    client: new GoogleClient(readSettings(settings, environment), 1),
    async stop() {
      await emulator.close();
      await rm(folder, { recursive: true });
    },
  };
}
