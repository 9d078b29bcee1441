import type { protos } from "@google-cloud/artifact-registry";
import type { iam_v1 } from "@googleapis/iam";

type ArtifactRegistry = typeof protos.google.devtools.artifactregistry.v1;
type RepositoryMessage = protos.google.devtools.artifactregistry.v1.IRepository;

/** A field that is there or absent, never null: so Google's answers have them. */
type Answered<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** A rule of a repository's clean-up; durations as JSON has them. */
export interface CleanupPolicy {
  id?: string | undefined;
  action?: "DELETE" | "KEEP" | undefined;
  condition?:
    | {
        tagState?: "TAGGED" | "UNTAGGED" | "ANY" | undefined;
        tagPrefixes?: string[] | undefined;
        versionNamePrefixes?: string[] | undefined;
        packageNamePrefixes?: string[] | undefined;
        olderThan?: string | undefined;
        newerThan?: string | undefined;
      }
    | undefined;
  mostRecentVersions?:
    { packageNamePrefixes?: string[] | undefined; keepCount?: number | undefined } | undefined;
}

/** A repository as stored; what an answer adds (registryUri, scanning state) is computed. */
export type Repository = Answered<
  Pick<
    RepositoryMessage,
    "description" | "labels" | "kmsKeyName" | "cleanupPolicyDryRun" | "disallowUnspecifiedMode"
  >
> & {
  name: string;
  format: keyof ArtifactRegistry["Repository"]["Format"];
  mode: keyof ArtifactRegistry["Repository"]["Mode"];
  dockerConfig?: { immutableTags?: boolean };
  vulnerabilityScanningConfig?: { enablementConfig?: "INHERITED" | "DISABLED" };
  cleanupPolicies?: Record<string, CleanupPolicy>;
  createTime: string;
  updateTime: string;
};

export type ServiceAccount = Answered<iam_v1.Schema$ServiceAccount> & {
  name: string;
  email: string;
  projectId: string;
  uniqueId: string;
};

export type Role = Answered<iam_v1.Schema$Role> & { name: string; includedPermissions: string[] };

/** A workload identity pool, named by the project's number. */
export type Pool = Answered<
  Omit<iam_v1.Schema$WorkloadIdentityPool, "inlineCertificateIssuanceConfig" | "inlineTrustConfig">
> & {
  name: string;
  state: "ACTIVE" | "DELETED";
};

/** A provider of a pool, named by the project's number; OIDC only. */
export type Provider = Answered<
  Pick<
    iam_v1.Schema$WorkloadIdentityPoolProvider,
    "description" | "displayName" | "disabled" | "attributeMapping" | "attributeCondition" | "expireTime"
  >
> & {
  name: string;
  state: "ACTIVE" | "DELETED";
  oidc?: {
    issuerUri?: string | undefined;
    allowedAudiences?: string[] | undefined;
    jwksJson?: string | undefined;
  };
};

/** One grant of a policy. */
export interface Binding {
  role: string;
  members: string[];
}

/** An IAM policy; the etag is there from the first change on. */
export interface Policy {
  version?: number;
  bindings?: Binding[];
  etag?: string;
}

/** A rule of an organization policy. */
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

/** A project. */
export interface Project {
  projectId: string;
  projectNumber: string;
  name: string;
  createTime: string;
  services: string[];
}

/** A long-running operation. */
export interface Operation {
  name: string;
  done: boolean;
  metadata?: Record<string, unknown>;
  response?: Record<string, unknown>;
  error?: { code: number; message: string; details?: object[] };
}

/** What is in force, and what was before where a change takes its time to spread. */
export interface Spreading<T> {
  current: T;
  /** In force until the moment `until` (milliseconds since 1970). */
  before?: { value: T; until: number };
}
