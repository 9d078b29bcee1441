import { getClientConfigOutput } from "@pulumi/gcp/organizations/getClientConfig.js";
import { CustomResource, unsecret } from "@pulumi/pulumi";
import { google } from "./google.ts";
import { image } from "./image.ts";

/** Set by the test. */
export interface Settings {
  /** Resources of any type. */
  raw?: { type: string; name: string; args: object }[];
  /** Also declares the recorded resources. */
  recorded?: {
    dockerConfig?: { immutableTags: boolean };
    /** `localhost:PORT` */
    registry: string;
    /** Changes the image. */
    buildArg: string;
  };
}

const { raw = [], recorded } = JSON.parse(process.env["SETTINGS"] ?? "{}") as Settings;

class AnyResource extends CustomResource {}
for (const { type, name, args } of raw) new AnyResource(type, name, args);
if (recorded) image(google(recorded.dockerConfig), recorded.registry, recorded.buildArg);

/** A stack's outputs must not contain the token itself. */
export const tokenLength = unsecret(getClientConfigOutput().accessToken.apply((token) => token.length));
