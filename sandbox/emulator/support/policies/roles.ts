function on(kind: string, ...verbs: string[]): string[] {
  return verbs.map((verb) => `${kind}.${verb}`);
}

const READ_ARTIFACTS = [
  ...on("artifactregistry.dockerimages", "get", "list"),
  ...on("artifactregistry.locations", "get", "list"),
  ...on("artifactregistry.packages", "get", "list"),
  ...on("artifactregistry.repositories", "downloadArtifacts", "get", "list"),
  ...on("artifactregistry.tags", "get", "list"),
  ...on("artifactregistry.versions", "get", "list"),
];

const WRITE_ARTIFACTS = [
  ...READ_ARTIFACTS,
  "artifactregistry.repositories.uploadArtifacts",
  ...on("artifactregistry.tags", "create", "update"),
];

const DELETE_ARTIFACTS = [
  ...WRITE_ARTIFACTS,
  "artifactregistry.packages.delete",
  "artifactregistry.repositories.deleteArtifacts",
  "artifactregistry.tags.delete",
  "artifactregistry.versions.delete",
];

const ADMINISTER_ARTIFACTS = [
  ...DELETE_ARTIFACTS,
  ...on("artifactregistry.repositories", "create", "delete", "getIamPolicy", "setIamPolicy", "update"),
];

const PROJECT = on("resourcemanager.projects", "get", "list");

const READ_SERVICES = on("serviceusage.services", "get", "list");

const ADMINISTER_SERVICES = [...READ_SERVICES, ...on("serviceusage.services", "disable", "enable", "use")];

const READ_ACCOUNTS = on("iam.serviceAccounts", "get", "list");

const READ_ACCOUNT_KEYS = ["iam.serviceAccountKeys.list"];

const EDIT_ACCOUNTS = [
  ...READ_ACCOUNTS,
  ...on("iam.serviceAccounts", "create", "delete", "disable", "enable", "update"),
];

const ADMINISTER_ACCOUNTS = [...EDIT_ACCOUNTS, ...on("iam.serviceAccounts", "getIamPolicy", "setIamPolicy")];

const IMPERSONATE = on("iam.serviceAccounts", "getAccessToken", "getOpenIdToken");

const READ_POOLS = [
  ...on("iam.workloadIdentityPoolProviders", "get", "list"),
  ...on("iam.workloadIdentityPools", "get", "list"),
];

const ADMINISTER_POOLS = [
  ...READ_POOLS,
  ...on("iam.workloadIdentityPoolProviders", "create", "delete", "undelete", "update"),
  ...on("iam.workloadIdentityPools", "create", "delete", "undelete", "update"),
];

const READ_ROLES = on("iam.roles", "get", "list");

const ADMINISTER_ROLES = [...READ_ROLES, "iam.roles.create", "iam.roles.delete", "iam.roles.update"];

const READ_ORG_POLICIES = ["orgpolicy.constraints.list", "orgpolicy.policies.list", "orgpolicy.policy.get"];

const ADMINISTER_ORG_POLICIES = [
  ...READ_ORG_POLICIES,
  ...on("orgpolicy.policies", "create", "delete", "update"),
  "orgpolicy.policy.set",
];

const READ_BUCKETS = ["storage.buckets.get", "storage.objects.list"];

const ADMINISTER_BUCKETS = [
  ...READ_BUCKETS,
  ...on("storage.buckets", "getIamPolicy", "setIamPolicy", "update"),
];

const READ_OBJECTS = on("storage.objects", "get", "list");

const WRITE_OBJECTS = [...READ_OBJECTS, ...on("storage.objects", "create", "delete", "update")];

const READ_CRYPTO_KEYS = ["cloudkms.cryptoKeys.get", "cloudkms.keyRings.get"];

const ADMINISTER_CRYPTO_KEYS = [
  ...READ_CRYPTO_KEYS,
  ...on("cloudkms.cryptoKeys", "create", "getIamPolicy", "setIamPolicy"),
  "cloudkms.keyRings.create",
];

const USE_CRYPTO_KEYS = on("cloudkms.cryptoKeyVersions", "useToDecrypt", "useToEncrypt");

const VIEW = [
  ...READ_ARTIFACTS,
  ...PROJECT,
  ...READ_SERVICES,
  ...READ_ACCOUNTS,
  ...READ_ACCOUNT_KEYS,
  ...READ_POOLS,
  ...READ_ROLES,
  ...READ_ORG_POLICIES,
  ...READ_CRYPTO_KEYS,
  "storage.buckets.list",
];

const EDIT = [
  ...VIEW,
  ...DELETE_ARTIFACTS,
  ...EDIT_ACCOUNTS,
  ...ADMINISTER_SERVICES,
  ...on("artifactregistry.repositories", "create", "delete", "update"),
  "iam.serviceAccounts.actAs",
  "cloudkms.cryptoKeys.create",
  "cloudkms.keyRings.create",
  "storage.buckets.create",
];

/** Permissions of each role, limited to those that the emulator checks (https://cloud.google.com/iam/docs/roles-permissions). */
export const ROLES: Readonly<Record<string, readonly string[]>> = {
  "roles/viewer": VIEW,
  "roles/editor": EDIT,
  // As at Google, an owner has no permission to impersonate accounts or to change organization policies.
  "roles/owner": [
    ...EDIT,
    ...ADMINISTER_ARTIFACTS,
    ...ADMINISTER_ACCOUNTS,
    ...ADMINISTER_POOLS,
    ...ADMINISTER_ROLES,
    ...ADMINISTER_CRYPTO_KEYS,
    ...USE_CRYPTO_KEYS,
    ...ADMINISTER_BUCKETS,
    ...on("resourcemanager.projects", "getIamPolicy", "setIamPolicy"),
  ],
  "roles/storage.admin": [
    ...ADMINISTER_BUCKETS,
    ...WRITE_OBJECTS,
    ...on("storage.buckets", "create", "list"),
    ...PROJECT,
  ],
  "roles/storage.objectViewer": [...READ_OBJECTS, ...PROJECT],
  "roles/storage.objectUser": [...WRITE_OBJECTS, ...PROJECT],
  "roles/storage.legacyBucketOwner": [...ADMINISTER_BUCKETS, ...on("storage.objects", "create", "delete")],
  "roles/storage.legacyBucketReader": READ_BUCKETS,
  "roles/storage.legacyObjectOwner": ["storage.objects.get", "storage.objects.update"],
  "roles/storage.legacyObjectReader": ["storage.objects.get"],
  "roles/cloudkms.cryptoKeyDecrypter": ["cloudkms.cryptoKeyVersions.useToDecrypt"],
  "roles/cloudkms.cryptoKeyEncrypterDecrypter": USE_CRYPTO_KEYS,
  // As at Google, administrators of keys have no permission to use them.
  "roles/cloudkms.admin": [...ADMINISTER_CRYPTO_KEYS, ...PROJECT],
  "roles/browser": [...PROJECT, "resourcemanager.projects.getIamPolicy"],
  "roles/resourcemanager.projectIamAdmin": [
    ...PROJECT,
    ...on("resourcemanager.projects", "getIamPolicy", "setIamPolicy"),
  ],
  "roles/artifactregistry.reader": READ_ARTIFACTS,
  "roles/artifactregistry.writer": WRITE_ARTIFACTS,
  "roles/artifactregistry.repoAdmin": DELETE_ARTIFACTS,
  "roles/artifactregistry.admin": ADMINISTER_ARTIFACTS,
  "roles/iam.serviceAccountViewer": [
    ...READ_ACCOUNTS,
    ...READ_ACCOUNT_KEYS,
    "iam.serviceAccounts.getIamPolicy",
    ...PROJECT,
  ],
  "roles/iam.serviceAccountCreator": ["iam.serviceAccounts.create", ...READ_ACCOUNTS, ...PROJECT],
  "roles/iam.serviceAccountAdmin": [...ADMINISTER_ACCOUNTS, ...PROJECT],
  "roles/iam.serviceAccountUser": ["iam.serviceAccounts.actAs", ...READ_ACCOUNTS, ...PROJECT],
  "roles/iam.serviceAccountTokenCreator": [...READ_ACCOUNTS, ...IMPERSONATE, ...PROJECT],
  "roles/iam.workloadIdentityUser": [...READ_ACCOUNTS, ...IMPERSONATE],
  "roles/iam.workloadIdentityPoolViewer": [...READ_POOLS, ...PROJECT],
  "roles/iam.workloadIdentityPoolAdmin": [...ADMINISTER_POOLS, ...PROJECT],
  "roles/iam.securityReviewer": [
    ...on("artifactregistry.repositories", "getIamPolicy", "list"),
    ...on("iam.serviceAccounts", "getIamPolicy", "list"),
    ...on("resourcemanager.projects", "getIamPolicy", "list"),
  ],
  "roles/iam.roleAdmin": [...ADMINISTER_ROLES, ...PROJECT],
  "roles/serviceusage.serviceUsageViewer": READ_SERVICES,
  "roles/serviceusage.serviceUsageConsumer": [...READ_SERVICES, "serviceusage.services.use"],
  "roles/serviceusage.serviceUsageAdmin": ADMINISTER_SERVICES,
  "roles/orgpolicy.policyViewer": READ_ORG_POLICIES,
  "roles/orgpolicy.policyAdmin": ADMINISTER_ORG_POLICIES,
};

export const PERMISSIONS: ReadonlySet<string> = new Set(Object.values(ROLES).flat());
