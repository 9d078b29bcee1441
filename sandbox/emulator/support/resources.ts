import type { CleanupPolicy } from "./repository-body.ts";

/**
 * A repository as stored. Answers add computed fields (`registryUri`, the scanning state).
 * https://docs.cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories
 */
export interface Repository {
  name: string;
  format: "DOCKER";
  mode: "STANDARD_REPOSITORY";
  description?: string;
  labels?: Record<string, string>;
  kmsKeyName?: string;
  cleanupPolicyDryRun?: boolean;
  dockerConfig?: { immutableTags?: boolean };
  vulnerabilityScanningConfig?: { enablementConfig?: "INHERITED" | "DISABLED" };
  cleanupPolicies?: Record<string, CleanupPolicy>;
  createTime: string;
  updateTime: string;
}

/** https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
export interface ServiceAccount {
  name: string;
  email: string;
  projectId: string;
  uniqueId: string;
  displayName?: string;
  description?: string;
  oauth2ClientId?: string;
  etag?: string;
}

/** https://docs.cloud.google.com/iam/docs/reference/rest/v1/roles */
export interface Role {
  name: string;
  includedPermissions: string[];
  title?: string;
  description?: string;
  stage?: string;
  etag?: string;
}

/**
 * A workload identity pool, named by the project's number.
 * https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools
 */
export interface Pool {
  name: string;
  state: "ACTIVE" | "DELETED";
  displayName?: string;
  description?: string;
  disabled?: boolean;
  expireTime?: string;
}

/**
 * A provider of a pool, named by the project's number; OIDC only.
 * https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
 */
export interface Provider extends Pool {
  attributeMapping?: Record<string, string>;
  attributeCondition?: string;
  oidc?: {
    issuerUri?: string | undefined;
    allowedAudiences?: string[] | undefined;
    jwksJson?: string | undefined;
  };
}

export interface Binding {
  role: string;
  members: string[];
}

/** An IAM policy. The etag exists after the first change. */
export interface Policy {
  version?: number;
  bindings?: Binding[];
  etag?: string;
}

export interface OrgPolicyRule {
  values?: { allowedValues?: string[] | undefined; deniedValues?: string[] | undefined } | undefined;
  allowAll?: boolean | undefined;
  denyAll?: boolean | undefined;
  enforce?: boolean | undefined;
  parameters?:
    { allowedMemberSubjects?: string[] | undefined; allowedPrincipalSets?: string[] | undefined } | undefined;
}

/** An organization policy (v2) set on a project or the organization. */
export interface OrgPolicy {
  name: string;
  spec: {
    etag?: string;
    updateTime?: string;
    rules?: OrgPolicyRule[] | undefined;
    inheritFromParent?: boolean | undefined;
    reset?: boolean | undefined;
  };
  etag: string;
}

export interface Project {
  projectId: string;
  projectNumber: string;
  name: string;
  createTime: string;
  services: string[];
}

/**
 * A bucket as stored. Answers add computed fields.
 * https://docs.cloud.google.com/storage/docs/json_api/v1/buckets
 */
export interface Bucket {
  projectId: string;
  location: string;
  versioning?: { enabled: boolean };
  uniform: boolean;
  publicAccessPrevention: "inherited" | "enforced";
  createTime: string;
}

/** https://docs.cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys */
export interface CryptoKey {
  name: string;
  purpose: string;
  rotationPeriod?: string;
  nextRotationTime?: string;
  createTime: string;
}

export interface Operation {
  name: string;
  /** Absent while it runs. */
  done?: true;
  metadata?: Record<string, unknown>;
  response?: Record<string, unknown>;
  error?: { code: number; message: string; details?: object[] };
}

/** A value, and the value before it while a change propagates. */
export interface Spreading<T> {
  current: T;
  /** In effect until `until` (milliseconds since 1970). */
  before?: { value: T; until: number };
}
