import {
  artifactRegistry,
  iam,
  iamCredentials,
  kms,
  oauth,
  organizationPolicy,
  storage,
} from "../../google/apis.ts";

/** Variables that point the gcp plugin and the program at the emulator at `origin`. */
export function endpointVariables(origin: string): Record<string, string> {
  return {
    [artifactRegistry.variable]: `${origin}/v1/`,
    [iam.variable]: `${origin}/v1/`,
    [iamCredentials.variable]: `${origin}/v1/`,
    [organizationPolicy.variable]: `${origin}/v2/`,
    [storage.variable]: `${origin}/storage/v1/`,
    [kms.variable]: `${origin}/v1/`,
    [oauth.variable]: `${origin}/`,
    GOOGLE_IAM_CUSTOM_ENDPOINT: `${origin}/`,
    GOOGLE_CLOUD_RESOURCE_MANAGER_CUSTOM_ENDPOINT: `${origin}/`,
    GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT: `${origin}/v1/`,
    GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT: `${origin}/`,
  };
}
