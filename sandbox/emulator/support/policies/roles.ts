const READ_ARTIFACTS = [
  "artifactregistry.dockerimages.get",
  "artifactregistry.dockerimages.list",
  "artifactregistry.locations.get",
  "artifactregistry.locations.list",
  "artifactregistry.packages.get",
  "artifactregistry.packages.list",
  "artifactregistry.repositories.downloadArtifacts",
  "artifactregistry.repositories.get",
  "artifactregistry.repositories.list",
  "artifactregistry.tags.get",
  "artifactregistry.tags.list",
  "artifactregistry.versions.get",
  "artifactregistry.versions.list",
];

const WRITE_ARTIFACTS = [
  ...READ_ARTIFACTS,
  "artifactregistry.repositories.uploadArtifacts",
  "artifactregistry.tags.create",
  "artifactregistry.tags.update",
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
  "artifactregistry.repositories.create",
  "artifactregistry.repositories.delete",
  "artifactregistry.repositories.getIamPolicy",
  "artifactregistry.repositories.setIamPolicy",
  "artifactregistry.repositories.update",
];

const PROJECT = ["resourcemanager.projects.get", "resourcemanager.projects.list"];

const READ_SERVICES = ["serviceusage.services.get", "serviceusage.services.list"];

const ADMINISTER_SERVICES = [
  ...READ_SERVICES,
  "serviceusage.services.disable",
  "serviceusage.services.enable",
  "serviceusage.services.use",
];

const READ_ACCOUNTS = ["iam.serviceAccounts.get", "iam.serviceAccounts.list"];

const READ_ACCOUNT_KEYS = ["iam.serviceAccountKeys.list"];

const EDIT_ACCOUNTS = [
  ...READ_ACCOUNTS,
  "iam.serviceAccounts.create",
  "iam.serviceAccounts.delete",
  "iam.serviceAccounts.disable",
  "iam.serviceAccounts.enable",
  "iam.serviceAccounts.update",
];

const ADMINISTER_ACCOUNTS = [
  ...EDIT_ACCOUNTS,
  "iam.serviceAccounts.getIamPolicy",
  "iam.serviceAccounts.setIamPolicy",
];

const IMPERSONATE = ["iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"];

const READ_POOLS = [
  "iam.workloadIdentityPoolProviders.get",
  "iam.workloadIdentityPoolProviders.list",
  "iam.workloadIdentityPools.get",
  "iam.workloadIdentityPools.list",
];

const ADMINISTER_POOLS = [
  ...READ_POOLS,
  ...["create", "delete", "undelete", "update"].flatMap((verb) => [
    `iam.workloadIdentityPoolProviders.${verb}`,
    `iam.workloadIdentityPools.${verb}`,
  ]),
];

const READ_COMPUTE = ["compute.regions.list"];

const READ_ROLES = ["iam.roles.get", "iam.roles.list"];

const ADMINISTER_ROLES = [...READ_ROLES, "iam.roles.create", "iam.roles.delete", "iam.roles.update"];

const READ_ORG_POLICIES = ["orgpolicy.constraints.list", "orgpolicy.policies.list", "orgpolicy.policy.get"];

const ADMINISTER_ORG_POLICIES = [
  ...READ_ORG_POLICIES,
  "orgpolicy.policies.create",
  "orgpolicy.policies.delete",
  "orgpolicy.policies.update",
  "orgpolicy.policy.set",
];

const READ_BUCKETS = ["storage.buckets.get", "storage.objects.list"];

const ADMINISTER_BUCKETS = [
  ...READ_BUCKETS,
  "storage.buckets.getIamPolicy",
  "storage.buckets.setIamPolicy",
  "storage.buckets.update",
];

const READ_OBJECTS = ["storage.objects.get", "storage.objects.list"];

const WRITE_OBJECTS = [
  ...READ_OBJECTS,
  "storage.objects.create",
  "storage.objects.delete",
  "storage.objects.update",
];

const READ_CRYPTO_KEYS = ["cloudkms.cryptoKeys.get", "cloudkms.keyRings.get"];

const ADMINISTER_CRYPTO_KEYS = [
  ...READ_CRYPTO_KEYS,
  "cloudkms.cryptoKeys.create",
  "cloudkms.cryptoKeys.getIamPolicy",
  "cloudkms.cryptoKeys.setIamPolicy",
  "cloudkms.keyRings.create",
];

const VIEW = [
  ...READ_ARTIFACTS,
  ...PROJECT,
  ...READ_SERVICES,
  ...READ_ACCOUNTS,
  ...READ_ACCOUNT_KEYS,
  ...READ_POOLS,
  ...READ_ROLES,
  ...READ_COMPUTE,
  ...READ_ORG_POLICIES,
  ...READ_CRYPTO_KEYS,
  "storage.buckets.list",
];

const EDIT = [
  ...VIEW,
  ...DELETE_ARTIFACTS,
  ...EDIT_ACCOUNTS,
  ...ADMINISTER_SERVICES,
  "artifactregistry.repositories.create",
  "artifactregistry.repositories.delete",
  "artifactregistry.repositories.update",
  "iam.serviceAccounts.actAs",
  "cloudkms.cryptoKeys.create",
  "cloudkms.keyRings.create",
  "storage.buckets.create",
];

/** What a role permits, of what the sandbox's APIs ask for (https://cloud.google.com/iam/docs/roles-permissions). */
export const ROLES: Readonly<Record<string, readonly string[]>> = {
  "roles/viewer": VIEW,
  "roles/editor": EDIT,
  // An owner may neither impersonate an account nor change an organization policy: as at Google.
  "roles/owner": [
    ...EDIT,
    ...ADMINISTER_ARTIFACTS,
    ...ADMINISTER_ACCOUNTS,
    ...ADMINISTER_POOLS,
    ...ADMINISTER_ROLES,
    ...ADMINISTER_CRYPTO_KEYS,
    ...ADMINISTER_BUCKETS,
    "resourcemanager.projects.getIamPolicy",
    "resourcemanager.projects.setIamPolicy",
  ],
  "roles/storage.objectViewer": [...READ_OBJECTS, ...PROJECT],
  "roles/storage.objectUser": [...WRITE_OBJECTS, ...PROJECT],
  "roles/storage.legacyBucketOwner": [
    ...ADMINISTER_BUCKETS,
    "storage.objects.create",
    "storage.objects.delete",
  ],
  "roles/storage.legacyBucketReader": READ_BUCKETS,
  "roles/storage.legacyObjectOwner": ["storage.objects.get", "storage.objects.update"],
  "roles/storage.legacyObjectReader": ["storage.objects.get"],
  "roles/cloudkms.cryptoKeyDecrypter": ["cloudkms.cryptoKeyVersions.useToDecrypt"],
  "roles/cloudkms.cryptoKeyEncrypterDecrypter": [
    "cloudkms.cryptoKeyVersions.useToDecrypt",
    "cloudkms.cryptoKeyVersions.useToEncrypt",
  ],
  "roles/browser": [...PROJECT, "resourcemanager.projects.getIamPolicy"],
  "roles/resourcemanager.projectIamAdmin": [
    ...PROJECT,
    "resourcemanager.projects.getIamPolicy",
    "resourcemanager.projects.setIamPolicy",
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
    "artifactregistry.repositories.getIamPolicy",
    "artifactregistry.repositories.list",
    "iam.serviceAccounts.getIamPolicy",
    "iam.serviceAccounts.list",
    "resourcemanager.projects.getIamPolicy",
    "resourcemanager.projects.list",
  ],
  "roles/iam.roleAdmin": [...ADMINISTER_ROLES, ...PROJECT],
  "roles/serviceusage.serviceUsageViewer": READ_SERVICES,
  "roles/serviceusage.serviceUsageConsumer": [...READ_SERVICES, "serviceusage.services.use"],
  "roles/serviceusage.serviceUsageAdmin": ADMINISTER_SERVICES,
  "roles/orgpolicy.policyViewer": READ_ORG_POLICIES,
  "roles/orgpolicy.policyAdmin": ADMINISTER_ORG_POLICIES,
};

/** Every permission that a role of the sandbox can hold. */
export const PERMISSIONS: ReadonlySet<string> = new Set(Object.values(ROLES).flat());
