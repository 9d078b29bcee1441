import { z } from "zod";
import type { GithubEnvironment, GithubRepository } from "../../support/github/repositories.ts";
import { GithubError, missing } from "../../support/github/errors.ts";
import { type Need, repositoryRoute } from "../../support/github/route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const READ: Need = { permission: "actions", level: "read", role: "read" };
const WRITE: Need = { permission: "administration", level: "write", role: "admin" };
const ENVIRONMENT = "/environments/{environment*}";
const POLICIES = `${ENVIRONMENT}/deployment-branch-policies`;

const environmentBody = z.object({
  wait_timer: z.int().optional(),
  prevent_self_review: z.boolean().optional(),
  reviewers: z
    .array(z.object({ type: z.enum(["User", "Team"]), id: z.int() }))
    .nullable()
    .optional(),
  deployment_branch_policy: z
    .object({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() })
    .nullable()
    .optional(),
});

const policyBody = z.object({ name: z.string(), type: z.enum(["branch", "tag"]).default("branch") });

function environmentOf({ environments }: GithubRepository, name = ""): GithubEnvironment {
  const found = environments[name];
  if (!found) throw missing();
  return found;
}

/**
 * Some plans have no protection rules for private repositories: GitHub refuses these fields even with default values
 * (alchemy-run/alchemy#1373, pulumi/pulumi-github#251).
 */
function requirePlan(repository: GithubRepository, body: z.infer<typeof environmentBody>): void {
  if (!repository.private || repository.plan === "enterprise") return;
  if (body.reviewers !== undefined || body.prevent_self_review !== undefined || body.wait_timer !== undefined)
    throw new GithubError(
      422,
      "Failed to create the environment protection rule. Please ensure the billing plan supports the required reviewers protection rule.",
    );
  if (repository.plan === "free" && body.deployment_branch_policy)
    throw new GithubError(
      422,
      "Fail to create protected rule, please ensure billing plan include protected branch gate.",
    );
}

function described(name: string, environment: GithubEnvironment): object {
  const { reviewers, preventSelfReview, branchPolicy } = environment;
  const rules = [
    ...(reviewers.length === 0
      ? []
      : [
          {
            type: "required_reviewers",
            prevent_self_review: preventSelfReview,
            reviewers: reviewers.map(({ type, id }) => ({ type, reviewer: { id } })),
          },
        ]),
    ...(branchPolicy === null ? [] : [{ type: "branch_policy" }]),
  ];
  return { name, protection_rules: rules, deployment_branch_policy: branchPolicy };
}

/** Environments and their branch policies (https://docs.github.com/rest/deployments/environments). */
export const environments: OpenRoute[] = [
  repositoryRoute("GET", ENVIRONMENT, READ, ({ repository, params: { environment = "" } }) =>
    described(environment, environmentOf(repository, environment)),
  ),
  repositoryRoute(
    "PUT",
    ENVIRONMENT,
    WRITE,
    ({ context, repository, params: { environment = "" }, body }) => {
      requirePlan(repository, body);
      // A PUT resets missing fields to their defaults, except the list of branches and tags.
      const made: GithubEnvironment = {
        reviewers: body.reviewers ?? [],
        preventSelfReview: body.prevent_self_review ?? false,
        branchPolicy: body.deployment_branch_policy ?? null,
        policies: repository.environments[environment]?.policies ?? [],
      };
      context.store.change(() => (repository.environments[environment] = made));
      return described(environment, made);
    },
    environmentBody,
  ),
  repositoryRoute("GET", POLICIES, READ, ({ repository, params }) => {
    const { policies } = environmentOf(repository, params["environment"]);
    return { total_count: policies.length, branch_policies: policies };
  }),
  repositoryRoute(
    "POST",
    POLICIES,
    WRITE,
    ({ context, repository, params, body }) => {
      const { branchPolicy, policies } = environmentOf(repository, params["environment"]);
      if (branchPolicy?.custom_branch_policies !== true) throw missing();
      const same = policies.find(({ name, type }) => name === body.name && type === body.type);
      return (
        same ??
        context.store.change((state) => {
          const made = { id: state.nextId++, ...body };
          policies.push(made);
          return made;
        })
      );
    },
    policyBody,
  ),
];
