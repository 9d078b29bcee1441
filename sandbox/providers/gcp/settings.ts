import { artifactRegistry, iam, organizationPolicy } from "../../../google/apis.ts";
import { type Failure, unsupported } from "../rpc/shape.ts";
import { type Properties, text } from "../rpc/values.ts";

const APIS = ["artifactRegistry", "iam", "iamBeta", "orgPolicy", "resourceManager", "serviceUsage"] as const;

export type Api = (typeof APIS)[number];

export interface Settings {
  project: string;
  region: string;
  zone: string;
  accessToken: string;
  /** Used without an access token; renews tokens. */
  credentialsFile: string;
  /** May be empty. */
  quotaProject: string;
  /** Base URLs, which end with "/". */
  bases: Record<Api, string>;
}

interface Endpoint {
  variable: string;
  endpoint: string;
  /** Google's client libraries, which the real plugin uses for these APIs, keep only the host and add this path. */
  fixedPath?: string;
}

const endpoints: Record<Api, Endpoint> = {
  artifactRegistry,
  iam: {
    variable: "GOOGLE_IAM_CUSTOM_ENDPOINT",
    endpoint: "https://iam.googleapis.com/",
    fixedPath: "/v1/",
  },
  iamBeta: iam,
  resourceManager: {
    variable: "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT",
    endpoint: "https://cloudresourcemanager.googleapis.com/v1/",
    fixedPath: "/v1/",
  },
  serviceUsage: {
    variable: "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT",
    endpoint: "https://serviceusage.googleapis.com/",
    fixedPath: "/v1/",
  },
  orgPolicy: organizationPolicy,
};

/** Whether the real plugin uses Google's client library, which requests compact answers. */
export function byClientLibrary(api: Api): boolean {
  return endpoints[api].fixedPath !== undefined;
}

const supported = new Set([
  "project",
  "region",
  "skipRegionValidation",
  "userProjectOverride",
  "billingProject",
  // For the engine, not for the plugin.
  "version",
  "pluginDownloadURL",
]);

/** Refuses unsupported settings. */
export function checkSettings(settings: Properties): Failure[] {
  return Object.keys(settings)
    .filter((name) => !supported.has(name))
    .map((name) => ({
      property: name,
      reason: unsupported("gcp", `provider setting "${name}"`, supported),
    }));
}

/** The provider's settings, or the real plugin's variables if a setting is missing. */
export function readSettings(settings: Properties, environment: NodeJS.ProcessEnv): Settings {
  const first = (name: string, variables: string[]): string =>
    [text(settings, name), ...variables.map((variable) => environment[variable] ?? "")].find(
      (value) => value !== "",
    ) ?? "";
  const base = (api: Api): string => {
    const { variable, endpoint, fixedPath } = endpoints[api];
    const url = environment[variable] ?? endpoint;
    if (fixedPath !== undefined) return new URL(fixedPath, url).href;
    return url.endsWith("/") ? url : `${url}/`;
  };
  return {
    project: first("project", [
      "GOOGLE_PROJECT",
      "GOOGLE_CLOUD_PROJECT",
      "GCLOUD_PROJECT",
      "CLOUDSDK_CORE_PROJECT",
    ]),
    region: first("region", ["GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"]),
    zone: first("zone", ["GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"]),
    accessToken: environment["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "",
    credentialsFile: environment["GOOGLE_APPLICATION_CREDENTIALS"] ?? "",
    quotaProject: /^(1|t|true)$/i.test(first("userProjectOverride", ["USER_PROJECT_OVERRIDE"]))
      ? first("billingProject", ["GOOGLE_BILLING_PROJECT"])
      : "",
    bases: Object.fromEntries(APIS.map((api) => [api, base(api)])) as Record<Api, string>,
  };
}
