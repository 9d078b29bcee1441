import { z } from "zod";
import type { GithubEnvironment, GithubRepository } from "../../support/github/repositories.ts";
import { GithubError, missing } from "../../support/github/errors.ts";
import { bodyRoute, type Need, repositoryRoute } from "../../support/github/route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const READ: Need = { permission: "actions", level: "read", role: "read" };
const WRITE: Need = { permission: "administration", level: "write", role: "admin" };
const ENVIRONMENT = "/environments/{environment*}";
const POLICIES = `${ENVIRONMENT}/deployment-branch-policies`;

/** The sandbox supports no reviewers and no timer, which the stack's environment does not have. */
const environmentBody = z.strictObject({
  deployment_branch_policy: z
    .object({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() })
    .nullable()
    .default(null),
});

const policyBody = z.object({ name: z.string(), type: z.enum(["branch", "tag"]).default("branch") });

function environmentOf({ environments }: GithubRepository, name = ""): GithubEnvironment {
  const found = environments[name];
  if (!found) throw missing();
  return found;
}

const described = (name: string, { branchPolicy }: GithubEnvironment): object => ({
  name,
  protection_rules: branchPolicy === null ? [] : [{ type: "branch_policy" }],
  deployment_branch_policy: branchPolicy,
});

/** Environments and their branch policies (https://docs.github.com/rest/deployments/environments). */
export const environments: OpenRoute[] = [
  repositoryRoute("GET", ENVIRONMENT, READ, ({ repository, params: { environment = "" } }) =>
    described(environment, environmentOf(repository, environment)),
  ),
  bodyRoute("PUT", ENVIRONMENT, WRITE, environmentBody, ({ context, repository, params, body }) => {
    const { environment = "" } = params;
    const branchPolicy = body.deployment_branch_policy;
    if (branchPolicy && repository.private && repository.plan === "free")
      throw new GithubError(
        422,
        "Fail to create protected rule, please ensure billing plan include protected branch gate.",
      );
    const made = { branchPolicy, policies: repository.environments[environment]?.policies ?? [] };
    context.store.change(() => (repository.environments[environment] = made));
    return described(environment, made);
  }),
  repositoryRoute("GET", POLICIES, READ, ({ repository, params }) => {
    const { policies } = environmentOf(repository, params["environment"]);
    return { total_count: policies.length, branch_policies: policies };
  }),
  bodyRoute("POST", POLICIES, WRITE, policyBody, ({ context, repository, params, body }) => {
    const { branchPolicy, policies } = environmentOf(repository, params["environment"]);
    if (branchPolicy?.custom_branch_policies !== true) throw missing();
    const same = policies.find(({ name, type }) => name === body.name && type === body.type);
    if (same) return same;
    return context.store.change((state) => {
      const made = { id: state.nextId++, ...body };
      policies.push(made);
      return made;
    });
  }),
];
