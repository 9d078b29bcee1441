import { artifactRegistry, iam, organizationPolicy } from "../../../google/apis.ts";
import { setting } from "../rpc/provider.ts";
import type { Failure } from "../rpc/shape.ts";
import { type Properties, text } from "../rpc/values.ts";

/** The APIs that the fake provider speaks to. */
export type Api = "artifactRegistry" | "iam" | "iamBeta" | "resourceManager" | "serviceUsage" | "orgPolicy";

/** What every request needs to know. */
export interface Settings {
  project: string;
  region: string;
  zone: string;
  accessToken: string;
  addAttributionLabel: boolean;
  /** Project that every request counts for; empty where none is named. */
  quotaProject: string;
  /** Base URLs, each ending in "/", to which `projects/...` is appended. */
  bases: Record<Api, string>;
}

interface Endpoint {
  /** The provider's setting; the variable is the same in upper case. */
  setting: string;
  variable: string;
  production: string;
  /** Google's own client libraries, which the real plugin uses here, keep the host alone and add this path. */
  fixedPath?: string;
}

const endpoints: Record<Api, Endpoint> = {
  artifactRegistry: {
    setting: "artifactRegistryCustomEndpoint",
    variable: artifactRegistry.variable,
    production: artifactRegistry.endpoint,
  },
  iam: {
    setting: "iamCustomEndpoint",
    variable: "GOOGLE_IAM_CUSTOM_ENDPOINT",
    production: "https://iam.googleapis.com/",
    fixedPath: "/v1/",
  },
  iamBeta: {
    setting: "iamBetaCustomEndpoint",
    variable: iam.variable,
    production: iam.endpoint,
  },
  resourceManager: {
    setting: "resourceManagerCustomEndpoint",
    variable: "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT",
    production: "https://cloudresourcemanager.googleapis.com/v1/",
    fixedPath: "/v1/",
  },
  serviceUsage: {
    setting: "serviceUsageCustomEndpoint",
    variable: "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT",
    production: "https://serviceusage.googleapis.com/",
    fixedPath: "/v1/",
  },
  orgPolicy: {
    setting: "orgPolicyCustomEndpoint",
    variable: organizationPolicy.variable,
    production: organizationPolicy.endpoint,
  },
};

/** Settings that are taken and change nothing here, with those that are. */
const supported = new Set([
  "project",
  "region",
  "zone",
  "accessToken",
  "addPulumiAttributionLabel",
  "skipRegionValidation",
  "cloudResourceManagerCustomEndpoint",
  "userProjectOverride",
  "billingProject",
  // How the engine asks for a plugin, not how the plugin works.
  "version",
  "pluginDownloadURL",
  ...Object.values(endpoints).map((endpoint) => endpoint.setting),
]);

/** Every setting that the fake provider would otherwise silently ignore. */
export function checkSettings(settings: Properties): Failure[] {
  return Object.keys(settings)
    .filter((name) => !supported.has(name))
    .map((name) => ({
      property: name,
      reason:
        `the sandbox's fake provider for the gcp plugin does not support the provider setting "${name}" ` +
        `(supported: ${[...supported].sort().join(", ")}); the real gcp plugin does`,
    }));
}

/** The provider's settings, with the variables that the real plugin reads where a setting is missing. */
export function readSettings(settings: Properties, environment: NodeJS.ProcessEnv): Settings {
  const first = (name: string, variables: string[]): string =>
    [text(settings, name), ...variables.map((variable) => environment[variable] ?? "")].find(
      (value) => value !== "",
    ) ?? "";
  const base = (api: Api): string => {
    const { setting: name, variable, production, fixedPath } = endpoints[api];
    const url = first(name, [variable]) || production;
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
    accessToken: first("accessToken", ["GOOGLE_OAUTH_ACCESS_TOKEN"]),
    quotaProject: /^(1|t|true)$/i.test(first("userProjectOverride", ["USER_PROJECT_OVERRIDE"]))
      ? first("billingProject", ["GOOGLE_BILLING_PROJECT"])
      : "",
    addAttributionLabel: setting(settings, "addPulumiAttributionLabel") !== false,
    bases: {
      artifactRegistry: base("artifactRegistry"),
      iam: base("iam"),
      iamBeta: base("iamBeta"),
      resourceManager: base("resourceManager"),
      serviceUsage: base("serviceUsage"),
      orgPolicy: base("orgPolicy"),
    },
  };
}
