import { z } from "zod";
import type { GithubRepository, GithubRuleset } from "../../support/github/repositories.ts";
import { GithubError, missing } from "../../support/github/errors.ts";
import { bodyRoute, created, type Need, repositoryRoute } from "../../support/github/route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const READ: Need = { permission: "metadata", level: "read", role: "read" };
const WRITE: Need = { permission: "administration", level: "write", role: "admin" };

const refs = z.array(z.string().regex(/^(refs\/.+|~ALL|~DEFAULT_BRANCH)$/)).default([]);

const rulesetBody = z.object({
  name: z.string(),
  target: z.enum(["branch", "tag"]).default("branch"),
  enforcement: z.enum(["active", "evaluate", "disabled"]),
  bypass_actors: z.array(z.looseObject({ actor_type: z.string(), bypass_mode: z.string() })).default([]),
  conditions: z.object({ ref_name: z.object({ include: refs, exclude: refs }) }),
  rules: z.array(z.object({ type: z.string(), parameters: z.looseObject({}).optional() })).default([]),
});

/** https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets */
function requirePlan(repository: GithubRepository): void {
  if (repository.private && repository.plan === "free")
    throw new GithubError(
      403,
      "Upgrade to GitHub Pro or make this repository public to enable this feature.",
    );
}

function rulesetOf({ rulesets }: GithubRepository, id = ""): GithubRuleset {
  const found = rulesets.find((each) => String(each.id) === id);
  if (!found) throw missing();
  return found;
}

/** Rulesets of branches and tags (https://docs.github.com/rest/repos/rules). */
export const rulesets: OpenRoute[] = [
  repositoryRoute("GET", "/rulesets", READ, ({ repository }) => {
    requirePlan(repository);
    return repository.rulesets.map(({ id, name, target, enforcement }) => ({
      id,
      name,
      target,
      enforcement,
    }));
  }),
  bodyRoute("POST", "/rulesets", WRITE, rulesetBody, ({ context, repository, body }) => {
    requirePlan(repository);
    if (repository.rulesets.some(({ name, target }) => name === body.name && target === body.target))
      throw new GithubError(422, "Validation Failed: Name must be unique");
    return context.store.change((state) => {
      const made = { id: state.nextId++, ...body };
      repository.rulesets.push(made);
      return created(made);
    });
  }),
  bodyRoute("PUT", "/rulesets/{id}", WRITE, rulesetBody, ({ context, repository, params, body }) => {
    requirePlan(repository);
    const ruleset = rulesetOf(repository, params["id"]);
    return context.store.change(() => Object.assign(ruleset, body));
  }),
];
