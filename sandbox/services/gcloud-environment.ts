import { join } from "node:path";

/** The file with gcloud's access token (mode 0600). */
export function gcloudTokenFile(sandboxDir: string): string {
  return join(sandboxDir, "gcloud", "access-token");
}

/** Names of APIs in gcloud's `api_endpoint_overrides`. Some are not emulated, but must not reach Google. */
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

/** Variables that point gcloud at the emulated APIs on `port`, with its own configuration folder and token. */
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
