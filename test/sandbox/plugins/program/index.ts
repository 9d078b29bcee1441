import { getClientConfigOutput } from "@pulumi/gcp/organizations/getClientConfig.js";
import { CustomResource, type Output, unsecret } from "@pulumi/pulumi";
import { google } from "./google.ts";
import { images } from "./images.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings();

class AnyResource extends CustomResource {}
for (const { type, name, args } of settings.raw ?? []) new AnyResource(type, name, args);
if (settings.images) images(settings.images);

if (settings.google) google(settings.google, settings.import);

export const clientConfig = settings.clientConfig ? describeClient() : {};

/** A stack's outputs must not contain the token itself. */
function describeClient(): { project: Output<string>; region: Output<string>; tokenLength: Output<number> } {
  const config = getClientConfigOutput();
  return {
    project: config.project,
    region: config.region,
    tokenLength: unsecret(config.accessToken.apply((token) => token.length)),
  };
}
