/** Titles of the services that can be enabled. */
export const SERVICES: Readonly<Record<string, string>> = {
  "artifactregistry.googleapis.com": "Artifact Registry API",
  "cloudbilling.googleapis.com": "Cloud Billing API",
  "cloudkms.googleapis.com": "Cloud Key Management Service (KMS) API",
  "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
  "containeranalysis.googleapis.com": "Container Analysis API",
  "containerscanning.googleapis.com": "Container Scanning API",
  "iam.googleapis.com": "Identity and Access Management (IAM) API",
  "iamcredentials.googleapis.com": "IAM Service Account Credentials API",
  "orgpolicy.googleapis.com": "Organization Policy API",
  "serviceusage.googleapis.com": "Service Usage API",
  "storage.googleapis.com": "Cloud Storage API",
  "sts.googleapis.com": "Security Token Service API",
};

export function serviceTitle(service: string): string {
  return (Object.hasOwn(SERVICES, service) && SERVICES[service]) || service;
}
