import { getVersion } from "@pulumi/gcp/utilities.js";
import * as pulumi from "@pulumi/pulumi";
import resources from "@pulumi/pulumi/proto/resource_pb.js";
import structs, { type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { z } from "zod";
import { ownAccessToken } from "./own-login.ts";

const FUNCTION = "gcp:organizations/getClientConfig:getClientConfig";

/** How long a token is used again. The plugin's tokens are valid for at least ten seconds more. */
const REUSE_MS = 5000;

/** The last token of each engine, and when it was asked for. */
const tokens = new WeakMap<object, { askedAt: number; token: Promise<string> }>();

/**
 * Returns an access token for the gcp plugin's credentials, or, outside a Pulumi program, for the caller's own login.
 *
 * Sends the same request as `gcp.organizations.getClientConfig()`. The SDK's own `invoke` writes the response with the
 * token to the debug log, which `pulumi up --json` prints.
 *
 * @throws the plugin's error if there are no credentials.
 */
export async function accessToken(): Promise<string> {
  const monitor = pulumi.runtime.getMonitor();
  if (monitor === undefined) return ownAccessToken();
  const last = tokens.get(monitor);
  if (last !== undefined && Date.now() - last.askedAt < REUSE_MS) return last.token;
  const token = askPlugin(monitor);
  tokens.set(monitor, { askedAt: Date.now(), token });
  return token;
}

async function askPlugin(
  monitor: NonNullable<ReturnType<typeof pulumi.runtime.getMonitor>>,
): Promise<string> {
  const request = new resources.ResourceInvokeRequest()
    .setTok(FUNCTION)
    .setArgs(structs.Struct.fromJavaScript({}))
    .setVersion(getVersion());
  const answer = await new Promise<Struct>((resolve, reject) => {
    monitor.invoke(request, (error, response) => {
      if (error) reject(new Error(error.details));
      else resolve(response.getReturn() ?? new structs.Struct());
    });
  });
  const config = pulumi.runtime.deserializeProperties(answer) as Record<string, unknown>;
  const token: unknown = pulumi.runtime.unwrapRpcSecret(config["accessToken"]);
  return z.string().parse(token);
}
