import type { ChildDeletion } from "../../../components/repository/cleanup-rules.ts";
import permissions from "../../../docs/permissions.json" with { type: "json" };
import { BOOTSTRAP_APIS } from "../../../google/apis.ts";
import { readText, writeWholeSync } from "../../lib/files.ts";
import { MAINTAINER } from "../../lib/tokens.ts";
import { type GithubRepository, REPOSITORIES } from "./github/repositories.ts";
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

/** The only location with a registry. */
export const LOCATION = "us-central1";

/** The state of all APIs. Keys are resource names with the project's id. */
export interface State {
  projects: Record<string, Project>;
  /** IAM policies by resource name. */
  policies: Record<string, Spreading<Policy>>;
  repositories: Record<string, Repository>;
  /** By email. */
  serviceAccounts: Record<string, ServiceAccount>;
  roles: Record<string, Role>;
  pools: Record<string, Pool>;
  providers: Record<string, Provider>;
  operations: Record<string, Operation>;
  /** By name, which is global. */
  buckets: Record<string, Bucket>;
  /** Creation times. */
  keyRings: Record<string, string>;
  cryptoKeys: Record<string, CryptoKey>;
  /** By `PARENT/policies/CONSTRAINT`; null after deletion. */
  orgPolicies: Record<string, Spreading<OrgPolicy | null>>;
  /** Repositories at GitHub, by `OWNER/NAME`. */
  github: Record<string, GithubRepository>;
  /** Custom constraints by name: `custom.noGmail`. */
  customConstraints: Record<string, { condition: string; description: string }>;
  /** Seconds until a changed organization policy takes effect. */
  orgPolicyDelaySeconds: number;
  /** Whether an image that an index refers to can be deleted. */
  childDeletion: ChildDeletion;
  /** The source of generated numbers. */
  nextId: number;
}

/** Enabled in a new project (https://docs.cloud.google.com/service-usage/docs/enabled-service). */
const FIRST_SERVICES = ["serviceusage.googleapis.com", "storage.googleapis.com"];

function project(projectId: string, projectNumber: string, services: readonly string[]): Project {
  return {
    projectId,
    projectNumber,
    name: projectId,
    createTime: timestamp(new Date("2025-01-10T09:00:00Z")),
    services: [...FIRST_SERVICES, ...services].sort(),
  };
}

function grants(member: string, roles: readonly string[]): Spreading<Policy> {
  const bindings = roles.map((role) => ({ role, members: [member] }));
  return { current: { version: 1, etag: "BwYSandboxA=", bindings } };
}

/** Adds a project as Google creates it. The maintainer gets only the roles that the documents ask for. */
export function addProject(state: State, projectId: string, maintainer: string): Project {
  const made = project(projectId, String(400_000_000_000 + state.nextId++), []);
  state.projects[projectId] = made;
  state.policies[`projects/${projectId}`] = grants(maintainer, documentedRoles());
  return made;
}

/** The roles of the person who sets a project up: see docs/ACCESS.md. */
function documentedRoles(): string[] {
  const grantsOnProject = permissions
    .filter(({ job }) => job === "bootstrap" || job === "provision")
    .flatMap(({ grants: each }) => each.filter(({ on }) => on === "project"));
  return [...new Set(grantsOnProject.flatMap(({ predefined }) => predefined))];
}

function initialState(): State {
  const projects = [
    project("production-471918", "123456789012", BOOTSTRAP_APIS),
    project("hyperion-sandbox", "210987654321", BOOTSTRAP_APIS),
  ];
  return {
    projects: Object.fromEntries(projects.map((each) => [each.projectId, each])),
    policies: {
      [ORGANIZATION]: grants(MAINTAINER, ["roles/orgpolicy.policyAdmin"]),
      ...Object.fromEntries(
        projects.map((each) => [`projects/${each.projectId}`, grants(MAINTAINER, ["roles/owner"])]),
      ),
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
    customConstraints: {},
    github: structuredClone(REPOSITORIES),
    orgPolicyDelaySeconds: 0,
    childDeletion: "refused",
    nextId: 1,
  };
}

/** Keeps the state in memory and, after each change, in a file that is replaced atomically. */
export class Store {
  private readonly file: string;
  readonly state: State;

  /** Starts with the initial state if `file` does not exist. @throws if it cannot be read */
  constructor(file: string) {
    this.file = file;
    this.state = { ...initialState(), ...(JSON.parse(readText(file) ?? "{}") as Partial<State>) };
  }

  /** Writes the file before it returns, so that a crash loses no change that was answered. */
  change<T>(change: (state: State) => T): T {
    const result = change(this.state);
    writeWholeSync(this.file, JSON.stringify(this.state, undefined, 1), 0o600);
    return result;
  }
}
