import { readFileSync } from "node:fs";
import * as path from "node:path";
import { Octokit } from "@octokit/core";
import { parse } from "yaml";
import { z } from "zod";
import { stopError } from "../../problems/problem.ts";
import { RightMissing, type Finding, type Step, type Todo } from "./step.ts";

/** Steps that others wait for. */
export const PROTECTION = "Protection at GitHub";

const ENVIRONMENT = "production";

/** Refs whose jobs may use the environment. */
const REFS = [
  { name: "main", type: "branch" },
  { name: "v*", type: "tag" },
] as const;

/** Administrators and maintainers of a repository, by the numbers of GitHub's own roles. */
const MAINTAINERS = [5, 2].map((actor_id) => ({
  actor_id,
  actor_type: "RepositoryRole" as const,
  bypass_mode: "always" as const,
}));

/** GitHub with the caller's own login. */
export class Github {
  readonly repository: string;
  private readonly octokit: Octokit;
  private readonly at: { owner: string; repo: string };

  constructor(repository: string, token: string) {
    this.repository = repository;
    const [owner = "", repo = ""] = repository.split("/");
    this.at = { owner, repo };
    this.octokit = new Octokit({
      auth: token,
      // As a runner's; the REST API of an enterprise's own GitHub is there too.
      baseUrl: process.env["GITHUB_API_URL"] ?? "https://api.github.com",
    });
  }

  /** The answer's body; undefined where there is nothing, or where the caller may not see it. */
  async read(route: string, more: Record<string, string | number> = {}): Promise<unknown> {
    try {
      return (await this.octokit.request(route, { ...this.at, ...more })).data;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 || (status === 403 && !isOfPlan(error))) return undefined;
      throw error;
    }
  }

  async write(route: string, body: object): Promise<void> {
    try {
      await this.octokit.request(route, { ...this.at, ...body });
    } catch (error) {
      // 404 is how GitHub refuses who is no administrator.
      if ([403, 404].includes(statusOf(error) ?? 0))
        throw new RightMissing(`GitHub answered ${String(error)}`);
      throw error;
    }
  }

  /** The same, or false where the repository's plan does not offer it. */
  async offers(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (isOfPlan(error)) return false;
      throw error;
    }
  }

  /** The numeric ids by which Google knows the repository. @throws where there is none, or it may not be seen. */
  async ids(): Promise<{ repository: string; owner: string }> {
    const answer = await this.read("GET /repos/{owner}/{repo}");
    if (answer === undefined)
      throw stopError(
        `There is no repository ${this.repository} at GitHub that this login may see: --github OWNER/NAME`,
      );
    const { id, owner } = z.object({ id: z.number(), owner: z.object({ id: z.number() }) }).parse(answer);
    return { repository: String(id), owner: String(owner.id) };
  }
}

/** What the repository's plan does not offer. */
function isOfPlan(error: unknown): boolean {
  return /upgrade to github|billing plan/i.test(String(error));
}

function statusOf(error: unknown): number | undefined {
  return z.object({ status: z.number() }).safeParse(error).data?.status;
}

/** `gh` for somebody else, with the same body. */
function gh(repository: string, method: string, at: string, body: object): string {
  return `gh api --method ${method} repos/${repository}/${at} --input - <<<'${JSON.stringify(body)}'`;
}

/** What keeps everybody who may push from publishing: it has to be there before anything can publish. */
export function protection(github: Github, root: string): Step {
  return {
    name: PROTECTION,
    inspect: async () => {
      const findings = [
        await workflowPermissions(github),
        await environment(github),
        await rulesets(github, root),
      ];
      return {
        have: findings.flatMap(({ have }) => have),
        todo: findings.flatMap(({ todo }) => todo),
        notes: findings.flatMap(({ notes = [] }) => notes),
      };
    },
  };
}

async function workflowPermissions(github: Github): Promise<Finding> {
  const what = "a job's token reads, unless its workflow says otherwise";
  const route = "/repos/{owner}/{repo}/actions/permissions/workflow";
  const body = { default_workflow_permissions: "read", can_approve_pull_request_reviews: false };
  const answer = z
    .object({ default_workflow_permissions: z.string(), can_approve_pull_request_reviews: z.boolean() })
    .safeParse(await github.read(`GET ${route}`)).data;
  if (answer?.default_workflow_permissions === "read" && !answer.can_approve_pull_request_reviews)
    return { have: [what], todo: [] };
  const todo = {
    what,
    commands: [gh(github.repository, "PUT", "actions/permissions/workflow", body)],
    apply: () => github.write(`PUT ${route}`, body),
  };
  return { have: [], todo: [todo] };
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
  const have: string[] = [];
  const todo: Todo[] = [];
  const what = `environment ${ENVIRONMENT}, for listed branches and tags alone`;
  if (answer?.deployment_branch_policy?.custom_branch_policies === true) have.push(what);
  else {
    todo.push({
      what,
      commands: [gh(github.repository, "PUT", at, body)],
      apply: async () => {
        const offered = await github.offers(() => github.write(`PUT ${route}`, body));
        // Without a rule at least by name: GitHub makes an environment that a workflow names without any.
        if (!offered) await github.write(`PUT ${route}`, {});
      },
    });
  }
  const others = listed?.branch_policies.filter(({ name }) => REFS.every((ref) => ref.name !== name)) ?? [];
  for (const ref of REFS) {
    const may = `${ref.type} ${ref.name} may use it`;
    if (listed?.branch_policies.some(({ name, type }) => name === ref.name && type === ref.type) === true)
      have.push(may);
    else
      todo.push({
        what: may,
        commands: [gh(github.repository, "POST", `${at}/deployment-branch-policies`, ref)],
        apply: async () => {
          if (await hasBranchPolicy(github))
            await github.write(`POST ${route}/deployment-branch-policies`, ref);
        },
      });
  }
  const notes = others.map(({ name }) => `${name} may use the environment too: jobs of it can publish`);
  // It is there, and a plan without protection kept it from having rules.
  if (answer?.deployment_branch_policy === null && !(await offersProtection(github)))
    return { have: [`environment ${ENVIRONMENT}`], todo: [], notes: [...notes, WITHOUT_PLAN] };
  return { have, todo, notes };
}

const WITHOUT_PLAN =
  "The plan of this private repository offers no rules for environments, branches and tags: whoever may push can publish. Make it public, or upgrade, and run this again.";

async function hasBranchPolicy(github: Github): Promise<boolean> {
  const answer = await github.read(`GET /repos/{owner}/{repo}/environments/${ENVIRONMENT}`);
  return environmentAnswer.safeParse(answer).data?.deployment_branch_policy?.custom_branch_policies === true;
}

/** Rules and protected environments come with the same plans, as far as branches and tags go. */
function offersProtection(github: Github): Promise<boolean> {
  return github.offers(() => github.read("GET /repos/{owner}/{repo}/rulesets"));
}

/** The checks of pull requests, as GitHub names the jobs of check.yml. */
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
      bypass_actors: [],
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
      bypass_actors: MAINTAINERS,
      conditions: refs("refs/tags/v*"),
      rules: [{ type: "creation" }],
    },
    {
      name: "Hyperion: nobody moves or deletes v*",
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
  const have: string[] = [];
  const todo: Todo[] = [];
  for (const wanted of wantedRulesets(root)) {
    const what = `rules "${wanted.name}"`;
    const found = known.find(({ name }) => name === wanted.name);
    // Whoever changed it since has a reason; one that is off protects nothing.
    if (found?.enforcement === "active") have.push(what);
    else {
      const [method, at] = found ? ["PUT", `rulesets/${found.id}`] : ["POST", "rulesets"];
      todo.push({
        what,
        commands: [gh(github.repository, method, at, wanted)],
        apply: () => github.write(`${method} /repos/{owner}/{repo}/${at}`, wanted),
      });
    }
  }
  return { have, todo };
}

/** The variables that turn the workflows on: the last of all. */
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
      const have: string[] = [];
      const todo: Todo[] = [];
      for (const [name, value] of Object.entries(await values())) {
        const before = answer.safeParse(await github.read(`GET ${route}/{name}`, { name })).data?.value;
        const what = `${name}: ${value}`;
        if (before === value) have.push(what);
        else
          todo.push({
            what: before === undefined ? what : `${what} (it is ${before})`,
            commands: [`gh variable set ${name} --repo ${github.repository} --body '${value}'`],
            apply: () =>
              before === undefined
                ? github.write(`POST ${route}`, { name, value })
                : github.write(`PATCH ${route}/{name}`, { name, value }),
          });
      }
      return { have, todo };
    },
  };
}
