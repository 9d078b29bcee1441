import { endpointVariables } from "../../lib/google-endpoints.ts";
import { GoogleClient } from "../gcp/client.ts";
import { type Definition, define } from "../gcp/define.ts";
import { readSettings } from "../gcp/settings.ts";
import type { Context, Resource } from "../rpc/provider.ts";
import type { FakeGoogle } from "./fake-google.ts";

/** A client of the fake, which waits milliseconds instead of seconds. */
export function clientOf(fake: FakeGoogle, settings: Record<string, string> = {}): GoogleClient {
  const environment = { ...endpointVariables(fake.origin), GOOGLE_OAUTH_ACCESS_TOKEN: "token" };
  return new GoogleClient(readSettings({ project: "p", region: "us-central1", ...settings }, environment), 1);
}

/** A resource type with a client of the fake. */
export function resourceOn(definition: Definition, fake: FakeGoogle): Resource {
  const client = clientOf(fake);
  return define(definition, () => client);
}

/** A call's context that drops lines. */
export function quietContext(): Context {
  return { signal: new AbortController().signal, log: () => undefined, status: () => undefined };
}
