import { join } from "node:path";

/** The file that gcloud reads its access token from; whoever runs gcloud keeps a fresh token in it (0600). */
export function gcloudTokenFile(sandboxDir: string): string {
  return join(sandboxDir, "gcloud", "access-token");
}

/**
 * Google's APIs that gcloud asks for what the sandbox has, as its `api_endpoint_overrides` call them; those
 * that the sandbox does not answer are here so that nothing goes out to Google.
 */
const APIS = [
  "ARTIFACTREGISTRY",
  "CLOUDKMS",
  "CLOUDRESOURCEMANAGER",
  "CONTAINERANALYSIS",
  "IAM",
  "IAMCREDENTIALS",
  "ORGPOLICY",
  "SERVICEUSAGE",
  "STS",
];

/**
 * Environment in which gcloud talks to the sandbox alone: its own configuration folder, endpoints at
 * the emulated APIs on `port`, the token from `gcloudTokenFile`.
 */
export function gcloudEnvironment(port: number, sandboxDir: string): Record<string, string> {
  return {
    CLOUDSDK_CONFIG: join(sandboxDir, "gcloud"),
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: gcloudTokenFile(sandboxDir),
    CLOUDSDK_CORE_PROJECT: "hyperion-sandbox",
    CLOUDSDK_ARTIFACTS_LOCATION: "us-central1",
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "true",
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "true",
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `http://127.0.0.1:${port}/storage/v1/`,
    ...Object.fromEntries(
      APIS.map((api) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`, `http://127.0.0.1:${port}/`]),
    ),
  };
}
