import type { ChildDeletion } from "../../../components/repository/cleanup-rules.ts";
import { readText, writeWholeSync } from "../../lib/files.ts";
import { MAINTAINER } from "../../lib/tokens.ts";
import { timestamp } from "./http/time.ts";
import type {
  Bucket,
  CryptoKey,
  Operation,
  OrgPolicy,
  Policy,
  Pool,
  Project,
  Provider,
  Repository,
  Role,
  ServiceAccount,
  Spreading,
} from "./resources.ts";

/** The emulated organization that every project is in. */
export const ORGANIZATION = "organizations/100000000001";

/** The one location that has a registry. */
export const LOCATION = "us-central1";

/** Everything that the emulated APIs know; resources by name, names with the project's id. */
export interface State {
  projects: Record<string, Project>;
  /** IAM policies by the name of the resource. */
  policies: Record<string, Spreading<Policy>>;
  repositories: Record<string, Repository>;
  /** By email. */
  serviceAccounts: Record<string, ServiceAccount>;
  roles: Record<string, Role>;
  pools: Record<string, Pool>;
  providers: Record<string, Provider>;
  operations: Record<string, Operation>;
  /** By name, which is everybody's. */
  buckets: Record<string, Bucket>;
  /** When each was made. */
  keyRings: Record<string, string>;
  cryptoKeys: Record<string, CryptoKey>;
  /** By `PARENT/policies/CONSTRAINT`; null once deleted. */
  orgPolicies: Record<string, Spreading<OrgPolicy | null>>;
  /** How long a changed organization policy takes to be in force, in seconds. */
  orgPolicyDelaySeconds: number;
  /** What becomes of a request to delete an image to which an index refers. */
  childDeletion: ChildDeletion;
  /** Of the numbers that Google makes up. */
  nextId: number;
}

function project(projectId: string, projectNumber: string): Project {
  return {
    projectId,
    projectNumber,
    name: projectId,
    createTime: timestamp(new Date("2025-01-10T09:00:00Z")),
    services: [
      "cloudresourcemanager.googleapis.com",
      "compute.googleapis.com",
      "orgpolicy.googleapis.com",
      "serviceusage.googleapis.com",
    ],
  };
}

function initialState(): State {
  const projects = [
    project("production-471918", "123456789012"),
    project("hyperion-sandbox", "210987654321"),
  ];
  const grant = (role: string): Spreading<Policy> => ({
    current: { version: 1, etag: "BwYSandboxA=", bindings: [{ role, members: [MAINTAINER] }] },
  });
  return {
    projects: Object.fromEntries(projects.map((each) => [each.projectId, each])),
    policies: {
      [ORGANIZATION]: grant("roles/orgpolicy.policyAdmin"),
      ...Object.fromEntries(projects.map((each) => [`projects/${each.projectId}`, grant("roles/owner")])),
    },
    repositories: {},
    serviceAccounts: {},
    roles: {},
    pools: {},
    providers: {},
    operations: {},
    buckets: {},
    keyRings: {},
    cryptoKeys: {},
    orgPolicies: {},
    orgPolicyDelaySeconds: 0,
    childDeletion: "refused",
    nextId: 1,
  };
}

/** Keeps the state in memory and, after every change, in a file that is never half written. */
export class Store {
  private readonly file: string;
  readonly state: State;

  /** Reads `file`, or starts anew where it is missing. Throws where it cannot be read. */
  constructor(file: string) {
    this.file = file;
    this.state = { ...initialState(), ...(JSON.parse(readText(file) ?? "{}") as Partial<State>) };
  }

  /** Changes the state and writes it before it returns, so that an answer never tells of what a crash can lose. */
  change<T>(change: (state: State) => T): T {
    const result = change(this.state);
    writeWholeSync(this.file, JSON.stringify(this.state, undefined, 1), 0o600);
    return result;
  }
}
