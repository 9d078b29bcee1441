/** A Google API that the program calls. */
export interface GoogleApi {
  /** Base URL, with the version. */
  endpoint: string;
  /** The environment variable with another base URL. The gcp plugin reads the same variable. */
  variable: string;
}

export const artifactRegistry: GoogleApi = {
  endpoint: "https://artifactregistry.googleapis.com/v1/",
  variable: "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT",
};

export const iam: GoogleApi = {
  endpoint: "https://iam.googleapis.com/v1/",
  variable: "GOOGLE_IAM_BETA_CUSTOM_ENDPOINT",
};

export const iamCredentials: GoogleApi = {
  endpoint: "https://iamcredentials.googleapis.com/v1/",
  variable: "GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT",
};

export const organizationPolicy: GoogleApi = {
  endpoint: "https://orgpolicy.googleapis.com/v2/",
  variable: "GOOGLE_ORG_POLICY_CUSTOM_ENDPOINT",
};

export const resourceManager: GoogleApi = {
  endpoint: "https://cloudresourcemanager.googleapis.com/v1/",
  variable: "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT",
};

export const serviceUsage: GoogleApi = {
  endpoint: "https://serviceusage.googleapis.com/",
  variable: "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT",
};

export const storage: GoogleApi = {
  endpoint: "https://storage.googleapis.com/storage/v1/",
  variable: "GOOGLE_STORAGE_CUSTOM_ENDPOINT",
};

export const kms: GoogleApi = {
  endpoint: "https://cloudkms.googleapis.com/v1/",
  variable: "GOOGLE_KMS_CUSTOM_ENDPOINT",
};

/** Returns the owner of a token. */
export const oauth: GoogleApi = {
  endpoint: "https://oauth2.googleapis.com/",
  variable: "GOOGLE_OAUTH2_CUSTOM_ENDPOINT",
};

/**
 * The APIs that `npm run bootstrap` enables: the stack needs them before its first `up`, or the drift account calls
 * them.
 */
export const BOOTSTRAP_APIS = [
  "cloudkms.googleapis.com",
  // The gcp plugin reads the project for each API that it enables. Calls of a service account count for its own project.
  "cloudresourcemanager.googleapis.com",
  "iam.googleapis.com",
  "orgpolicy.googleapis.com",
  "storage.googleapis.com",
];
