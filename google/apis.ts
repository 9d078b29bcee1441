/** An API of Google that the program itself calls. */
export interface GoogleApi {
  /** Where it is, with its version. */
  endpoint: string;
  /** The variable by which the gcp plugin is pointed elsewhere; honoured here too. */
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

/** Who a token belongs to. */
export const oauth: GoogleApi = {
  endpoint: "https://oauth2.googleapis.com/",
  variable: "GOOGLE_OAUTH2_CUSTOM_ENDPOINT",
};

/** What `npm run bootstrap` enables: what a stack takes before its first `up`, and what the drift account asks. */
export const BOOTSTRAP_APIS = [
  "cloudkms.googleapis.com",
  // The gcp plugin reads the project with each API that it enables; an account's calls count for its own project.
  "cloudresourcemanager.googleapis.com",
  "iam.googleapis.com",
  "orgpolicy.googleapis.com",
  "storage.googleapis.com",
];
