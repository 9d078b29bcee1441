/** An environment of a repository (https://docs.github.com/rest/deployments/environments). */
export interface GithubEnvironment {
  branchPolicy: { protected_branches: boolean; custom_branch_policies: boolean } | null;
  /** The branches and tags that deployments are limited to. */
  policies: { id: number; name: string; type: "branch" | "tag" }[];
}

/** A set of rules for branches or tags (https://docs.github.com/rest/repos/rules). */
export interface GithubRuleset {
  id: number;
  name: string;
  target: "branch" | "tag";
  enforcement: "active" | "evaluate" | "disabled";
  bypass_actors: object[];
  conditions: { ref_name: { include: string[]; exclude: string[] } };
  rules: { type: string; parameters?: object | undefined }[];
}

/** An issue or a pull request (https://docs.github.com/rest/issues). */
export interface GithubIssue {
  number: number;
  /** The author. */
  login: string;
  title: string;
  body: string | null;
  state: "open" | "closed";
  state_reason?: string | null;
  isPull: boolean;
  comments: { id: number; login: string; body: string }[];
}

/** A release of a tag (https://docs.github.com/rest/releases/releases). */
export interface GithubRelease {
  id: number;
  /** The author. */
  login: string;
  tag_name: string;
  name: string;
  body: string;
  prerelease: boolean;
}

/** The state of a file in `.github/workflows` (https://docs.github.com/rest/actions/workflows). */
export interface GithubWorkflow {
  state: "active" | "disabled_inactivity" | "disabled_manually";
  /** Runs that the API started. The emulated GitHub does not run them. */
  runs: { event: string; head_branch: string }[];
}

export interface GithubRepository {
  id: number;
  name: string;
  owner: { login: string; id: number };
  private: boolean;
  /** The owner's plan. A private repository on `free` has no protection rules. */
  plan: "free" | "team";
  /** Roles by login. */
  collaborators: Record<string, "read" | "write" | "admin">;
  workflowPermissions: { default_workflow_permissions: string; can_approve_pull_request_reviews: boolean };
  environments: Record<string, GithubEnvironment>;
  rulesets: GithubRuleset[];
  variables: Record<string, string>;
  issues: GithubIssue[];
  /** The commit of each tag. */
  tags: Record<string, string>;
  /** The oldest first. */
  releases: GithubRelease[];
  /** The id of the latest release. */
  latestRelease: number | undefined;
  /** By file name. A missing one is active and has no runs. */
  workflows: Record<string, GithubWorkflow>;
}

/** The person of the sandbox's login at GitHub. */
export const GITHUB_LOGIN = "maintainer";

/** The initial repositories, by full name. */
export const REPOSITORIES: Record<string, GithubRepository> = {
  "HyperionWave-AI/dev-squad": {
    id: 901234567,
    name: "dev-squad",
    owner: { login: "HyperionWave-AI", id: 123456789 },
    private: false,
    plan: "free",
    collaborators: { [GITHUB_LOGIN]: "admin", dana: "write" },
    workflowPermissions: { default_workflow_permissions: "write", can_approve_pull_request_reviews: false },
    environments: {},
    rulesets: [],
    variables: {},
    issues: [],
    tags: {},
    releases: [],
    latestRelease: undefined,
    workflows: {},
  },
};
