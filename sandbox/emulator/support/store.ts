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
  /** Repositories at GitHub, by `OWNER/NAME`. */
  github: Record<string, GithubRepository>;
  /** The organization's own constraints, by name: `custom.noGmail`. */
  customConstraints: Record<string, { condition: string; description: string }>;
  /** How long a changed organization policy takes to be in force, in seconds. */
  orgPolicyDelaySeconds: number;
  /** What becomes of a request to delete an image to which an index refers. */
  childDeletion: ChildDeletion;
  /** Of the numbers that Google makes up. */
  nextId: number;
}

/** What a new project has (https://docs.cloud.google.com/service-usage/docs/enabled-service). */
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

/** Adds a project as Google makes one, in which a principal has the roles that the documents ask for, and no more. */
export function addProject(state: State, projectId: string, maintainer: string): Project {
  const made = project(projectId, String(400_000_000_000 + state.nextId++), []);
  state.projects[projectId] = made;
  state.policies[`projects/${projectId}`] = grants(maintainer, documentedRoles());
  return made;
}

/** Of whoever sets a project up: see docs/ACCESS.md. */
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
