import { endpointVariables } from "../../lib/google-endpoints.ts";
import { GoogleClient } from "../gcp/client.ts";
import { type Definition, define } from "../gcp/define.ts";
import { readSettings } from "../gcp/settings.ts";
import type { Context, Resource } from "../rpc/provider.ts";
import type { FakeGoogle } from "./fake-google.ts";

/** A client that sends everything to the fake, and waits a millisecond where the real one waits a second. */
export function clientOf(fake: FakeGoogle, settings: Record<string, string> = {}): GoogleClient {
  return new GoogleClient(
    readSettings({ project: "p", region: "us-central1", ...settings }, environmentOf(fake)),
    1,
  );
}

/** The variables that point the gcp plugin at the fake. */
function environmentOf(fake: FakeGoogle): NodeJS.ProcessEnv {
  return {
    ...endpointVariables(fake.origin),
    GOOGLE_OAUTH_ACCESS_TOKEN: "token",
  };
}

/** A resource type of the gcp (fake) that speaks to the fake. */
export function resourceOn(
  definition: Definition,
  fake: FakeGoogle,
  settings: Record<string, string> = {},
): Resource {
  const client = clientOf(fake, settings);
  return define(definition, () => client);
}

/** A call's context, with every line that was shown. */
export function quietContext(): Context & { lines: string[] } {
  const lines: string[] = [];
  return {
    signal: new AbortController().signal,
    lines,
    log: (severity, message) => lines.push(`${severity}: ${message}`),
    status: (message) => lines.push(message),
  };
}
