import { readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { stopError } from "../../problems/stop-error.ts";
import type { GithubClient } from "../lib/github.ts";
import { type Finding, found, open, PermissionMissing, type Step, together } from "./step.ts";

export const PROTECTION = "Protection at GitHub";

const ENVIRONMENT = "production";

/** Refs whose jobs can use the environment. */
const REFS = [
  { name: "main", type: "branch" },
  { name: "v*", type: "tag" },
] as const;

/** GitHub's ids of the roles of a repository. */
const [ADMIN, MAINTAIN] = [5, 2] as const;

/** Principals with a role can bypass rules. */
const bypass = (actor_id: number, bypass_mode: "always" | "pull_request") => ({
  actor_id,
  actor_type: "RepositoryRole" as const,
  bypass_mode,
});

/** A repository at GitHub, with the caller's login. */
export class Github {
  readonly repository: string;
  private readonly client: GithubClient;
  private readonly at: { owner: string; repo: string };

  constructor(repository: string, client: GithubClient) {
    this.repository = repository;
    const [owner = "", repo = ""] = repository.split("/");
    this.at = { owner, repo };
    this.client = client;
  }

  /** Reads a resource; undefined if it does not exist or the caller has no permission to see it. */
  async read(route: string, more: Record<string, string | number> = {}): Promise<unknown> {
    try {
      return (await this.client.request(route, { ...this.at, ...more })).data;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 || (status === 403 && !isOfPlan(error))) return undefined;
      throw error;
    }
  }

  async write(route: string, body: object): Promise<void> {
    try {
      await this.client.request(route, { ...this.at, ...body });
    } catch (error) {
      // GitHub answers 404 to callers who are not administrators.
      if ([403, 404].includes(statusOf(error) ?? 0))
        throw new PermissionMissing(`GitHub answered ${String(error)}`);
      throw error;
    }
  }

  /** Does some work. Returns false if the repository's plan does not offer it. */
  async offers(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (isOfPlan(error)) return false;
      throw error;
    }
  }

  /** The numeric ids in GitHub's tokens. @throws if the login cannot see the repository. */
  async ids(): Promise<{ repository: string; owner: string }> {
    const answer = await this.read("GET /repos/{owner}/{repo}");
    if (answer === undefined)
      throw stopError(`This login cannot see a repository ${this.repository} at GitHub: --github OWNER/NAME`);
    const { id, owner } = z.object({ id: z.number(), owner: z.object({ id: z.number() }) }).parse(answer);
    return { repository: String(id), owner: String(owner.id) };
  }
}

function isOfPlan(error: unknown): boolean {
  return /upgrade to github|billing plan/i.test(String(error));
}

function statusOf(error: unknown): number | undefined {
  return z.object({ status: z.number() }).safeParse(error).data?.status;
}

/** The `gh` command that sends the same request. */
function gh(repository: string, method: string, at: string, body: object): string {
  return `gh api --method ${method} repos/${repository}/${at} --input - <<<'${JSON.stringify(body)}'`;
}

/** Keeps people with push access from publishing; must exist before anything can publish. */
export function protection(github: Github, root: string): Step {
  return {
    name: PROTECTION,
    inspect: async () => {
      const findings = [
        await workflowPermissions(github),
        await environment(github),
        await rulesets(github, root),
      ];
      return together(findings);
    },
  };
}

async function workflowPermissions(github: Github): Promise<Finding> {
  const what = "read-only job tokens by default";
  const route = "/repos/{owner}/{repo}/actions/permissions/workflow";
  const body = { default_workflow_permissions: "read", can_approve_pull_request_reviews: false };
  const answer = z
    .object({ default_workflow_permissions: z.string(), can_approve_pull_request_reviews: z.boolean() })
    .safeParse(await github.read(`GET ${route}`)).data;
  if (answer?.default_workflow_permissions === "read" && !answer.can_approve_pull_request_reviews)
    return found(what);
  return open({
    what,
    commands: [gh(github.repository, "PUT", "actions/permissions/workflow", body)],
    apply: () => github.write(`PUT ${route}`, body),
  });
}

const environmentAnswer = z.object({
  deployment_branch_policy: z
    .object({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() })
    .nullable(),
});
const policiesAnswer = z.object({
  branch_policies: z.array(z.object({ name: z.string(), type: z.string().default("branch") })),
});

async function environment(github: Github): Promise<Finding> {
  const route = `/repos/{owner}/{repo}/environments/${ENVIRONMENT}`;
  const at = `environments/${ENVIRONMENT}`;
  const body = { deployment_branch_policy: { protected_branches: false, custom_branch_policies: true } };
  const answer = environmentAnswer.safeParse(await github.read(`GET ${route}`)).data;
  const listed = policiesAnswer.safeParse(await github.read(`GET ${route}/deployment-branch-policies`)).data;
  const what = `environment ${ENVIRONMENT}, only for listed branches and tags`;
  const itself =
    answer?.deployment_branch_policy?.custom_branch_policies === true
      ? found(what)
      : open({
          what,
          commands: [gh(github.repository, "PUT", at, body)],
          apply: async () => {
            const offered = await github.offers(() => github.write(`PUT ${route}`, body));
            // The name alone is enough for the workflows.
            if (!offered) await github.write(`PUT ${route}`, {});
          },
        });
  const others = listed?.branch_policies.filter(({ name }) => REFS.every((ref) => ref.name !== name)) ?? [];
  const refs = REFS.map((ref) => {
    const may = `${ref.type} ${ref.name} can use it`;
    if (listed?.branch_policies.some(({ name, type }) => name === ref.name && type === ref.type) === true)
      return found(may);
    return open({
      what: may,
      commands: [gh(github.repository, "POST", `${at}/deployment-branch-policies`, ref)],
      apply: async () => {
        if (await hasBranchPolicy(github))
          await github.write(`POST ${route}/deployment-branch-policies`, ref);
      },
    });
  });
  const notes = others.map(({ name }) => `${name} can use the environment too: its jobs can publish`);
  // The environment exists without rules, because the plan has none.
  if (answer?.deployment_branch_policy === null && !(await offersProtection(github)))
    return { ...found(`environment ${ENVIRONMENT}`), notes: [...notes, WITHOUT_PLAN] };
  return { ...together([itself, ...refs]), notes };
}

const WITHOUT_PLAN =
  "The plan of this private repository offers no rules for environments, branches and tags: everyone with push access can publish. Make it public or upgrade, then run this again.";

async function hasBranchPolicy(github: Github): Promise<boolean> {
  const answer = await github.read(`GET /repos/{owner}/{repo}/environments/${ENVIRONMENT}`);
  return environmentAnswer.safeParse(answer).data?.deployment_branch_policy?.custom_branch_policies === true;
}

/** The plans with rulesets are those with protected environments. */
function offersProtection(github: Github): Promise<boolean> {
  return github.offers(() => github.read("GET /repos/{owner}/{repo}/rulesets"));
}

/** The required checks of pull requests: the job names of check.yml. */
function requiredChecks(root: string): string[] {
  const file = readFileSync(path.join(root, ".github/workflows/check.yml"), "utf8");
  const { jobs } = z
    .object({
      jobs: z.record(
        z.string(),
        z.object({
          name: z.string(),
          strategy: z.object({ matrix: z.object({ tests: z.array(z.string()) }) }).optional(),
        }),
      ),
    })
    .parse(parse(file));
  return Object.values(jobs).flatMap(({ name, strategy }) =>
    (strategy?.matrix.tests ?? [""]).map((tests) => name.replace("${{ matrix.tests }}", tests)),
  );
}

function wantedRulesets(root: string) {
  const refs = (ref: string) => ({ ref_name: { include: [ref], exclude: [] } });
  const checks = requiredChecks(root).map((context) => ({ context }));
  return [
    {
      name: "Hyperion: main",
      target: "branch",
      enforcement: "active",
      // In a repository with one maintainer, no other person can approve.
      bypass_actors: [bypass(ADMIN, "pull_request")],
      conditions: refs("refs/heads/main"),
      rules: [
        { type: "deletion" },
        { type: "non_fast_forward" },
        {
          type: "pull_request",
          parameters: {
            required_approving_review_count: 1,
            dismiss_stale_reviews_on_push: true,
            require_code_owner_review: false,
            require_last_push_approval: true,
            required_review_thread_resolution: false,
          },
        },
        {
          type: "required_status_checks",
          parameters: { required_status_checks: checks, strict_required_status_checks_policy: false },
        },
      ],
    },
    {
      name: "Hyperion: only maintainers create v*",
      target: "tag",
      enforcement: "active",
      bypass_actors: [bypass(ADMIN, "always"), bypass(MAINTAIN, "always")],
      conditions: refs("refs/tags/v*"),
      rules: [{ type: "creation" }],
    },
    {
      name: "Hyperion: v* never move and are never deleted",
      target: "tag",
      enforcement: "active",
      bypass_actors: [],
      conditions: refs("refs/tags/v*"),
      rules: [{ type: "update" }, { type: "deletion" }],
    },
  ] as const;
}

async function rulesets(github: Github, root: string): Promise<Finding> {
  if (!(await offersProtection(github))) return { have: [], todo: [], notes: [WITHOUT_PLAN] };
  const known = z
    .array(z.object({ id: z.number(), name: z.string(), enforcement: z.string() }))
    .parse(await github.read("GET /repos/{owner}/{repo}/rulesets"));
  return together(
    wantedRulesets(root).map((wanted) => {
      const what = `rules "${wanted.name}"`;
      const existing = known.find(({ name }) => name === wanted.name);
      // Leaves changed rules alone, unless they are disabled.
      if (existing?.enforcement === "active") return found(what);
      const [method, at] = existing ? ["PUT", `rulesets/${existing.id}`] : ["POST", "rulesets"];
      return open({
        what,
        commands: [gh(github.repository, method, at, wanted)],
        apply: () => github.write(`${method} /repos/{owner}/{repo}/${at}`, wanted),
      });
    }),
  );
}

/** The variables that enable the workflows; the last step. */
export function variables(
  github: Github,
  values: () => Promise<Readonly<Record<string, string>>>,
  needs: readonly string[],
): Step {
  const answer = z.object({ value: z.string() });
  const route = "/repos/{owner}/{repo}/actions/variables";
  return {
    name: "Variables at GitHub",
    needs,
    inspect: async () => {
      const findings: Finding[] = [];
      for (const [name, value] of Object.entries(await values())) {
        const before = answer.safeParse(await github.read(`GET ${route}/{name}`, { name })).data?.value;
        const what = `${name}: ${value}`;
        if (before === value) findings.push(found(what));
        else
          findings.push(
            open({
              what: before === undefined ? what : `${what} (now ${before})`,
              commands: [`gh variable set ${name} --repo ${github.repository} --body '${value}'`],
              apply: () =>
                before === undefined
                  ? github.write(`POST ${route}`, { name, value })
                  : github.write(`PATCH ${route}/{name}`, { name, value }),
            }),
          );
      }
      return together(findings);
    },
  };
}
