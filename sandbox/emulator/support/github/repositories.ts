/** A person or an organization at the emulated GitHub. */
export interface GithubAccount {
  login: string;
  id: number;
  type: "User" | "Organization";
}

/** An environment of a repository (https://docs.github.com/rest/deployments/environments). */
export interface GithubEnvironment {
  reviewers: { type: "User" | "Team"; id: number }[];
  preventSelfReview: boolean;
  branchPolicy: { protected_branches: boolean; custom_branch_policies: boolean } | null;
  /** Which branches and tags may use it, where they are listed. */
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

/** An issue, or a pull request, which is one too (https://docs.github.com/rest/issues). */
export interface GithubIssue {
  number: number;
  /** Who opened it. */
  login: string;
  title: string;
  body: string | null;
  state: "open" | "closed";
  state_reason?: string | null;
  pullRequest?: { head: string; base: string };
  comments: { id: number; login: string; body: string }[];
}

/** A release of a tag (https://docs.github.com/rest/releases/releases). */
export interface GithubRelease {
  id: number;
  /** Who made it. */
  login: string;
  tag_name: string;
  name: string;
  body: string;
  prerelease: boolean;
}

/** What GitHub knows about a file in `.github/workflows` (https://docs.github.com/rest/actions/workflows). */
export interface GithubWorkflow {
  state: "active" | "disabled_inactivity" | "disabled_manually";
  /** Runs that the API started; the emulated GitHub runs nothing. */
  runs: { event: string; head_branch: string }[];
}

/** A repository at the emulated GitHub, with what this project's scripts and workflows ask of it. */
export interface GithubRepository {
  id: number;
  name: string;
  owner: GithubAccount;
  private: boolean;
  /** What the owner pays for: `free` has no protection for a private repository. */
  plan: "free" | "team" | "enterprise";
  /** Roles by login. */
  collaborators: Record<string, "read" | "write" | "admin">;
  workflowPermissions: { default_workflow_permissions: string; can_approve_pull_request_reviews: boolean };
  environments: Record<string, GithubEnvironment>;
  rulesets: GithubRuleset[];
  variables: Record<string, string>;
  issues: GithubIssue[];
  /** Tags, each with its commit. */
  tags: Record<string, string>;
  /** In the order in which they were made. */
  releases: GithubRelease[];
  /** The id of the release that is the latest. */
  latestRelease: number | undefined;
  /** By file name; one that is not here is active and was never started. */
  workflows: Record<string, GithubWorkflow>;
}

/** The person whom the sandbox's own login at GitHub names. */
export const GITHUB_PERSON: GithubAccount = { login: "maintainer", id: 4241, type: "User" };

/** The repositories of the emulated GitHub, by full name; a new one has nothing but its owner. */
export const REPOSITORIES: Record<string, GithubRepository> = {
  "HyperionWave-AI/dev-squad": {
    id: 901234567,
    name: "dev-squad",
    owner: { login: "HyperionWave-AI", id: 123456789, type: "Organization" },
    private: false,
    plan: "free",
    collaborators: { [GITHUB_PERSON.login]: "admin", dana: "write" },
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
