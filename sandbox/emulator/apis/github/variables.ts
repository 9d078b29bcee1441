import { z } from "zod";
import { GithubError, missing } from "../../support/github/errors.ts";
import { bodyRoute, created, type Need, noContent, repositoryRoute } from "../../support/github/route.ts";
import type { GithubRepository } from "../../support/github/repositories.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const READ: Need = { permission: "actions_variables", level: "read", role: "write" };
const WRITE: Need = { ...READ, level: "write" };
const VARIABLES = "/actions/variables";

const variableBody = z.object({ name: z.string().regex(/^[A-Z_][A-Z0-9_]*$/i), value: z.string() });

function valueOf(repository: GithubRepository, name = ""): { name: string; value: string } {
  const value = repository.variables[name.toUpperCase()];
  if (value === undefined) throw missing();
  return { name: name.toUpperCase(), value };
}

/** Variables of workflows (https://docs.github.com/rest/actions/variables). */
export const variables: OpenRoute[] = [
  repositoryRoute("GET", VARIABLES, READ, ({ repository }) => {
    const all = Object.entries(repository.variables).map(([name, value]) => ({ name, value }));
    return { total_count: all.length, variables: all };
  }),
  repositoryRoute("GET", `${VARIABLES}/{name}`, READ, ({ repository, params }) =>
    valueOf(repository, params["name"]),
  ),
  bodyRoute("POST", VARIABLES, WRITE, variableBody, ({ context, repository, body: { name, value } }) => {
    if (name.toUpperCase() in repository.variables)
      throw new GithubError(409, "Already exists - Variable already exists");
    context.store.change(() => {
      repository.variables[name.toUpperCase()] = value;
    });
    return created();
  }),
  bodyRoute(
    "PATCH",
    `${VARIABLES}/{name}`,
    WRITE,
    variableBody.partial(),
    ({ context, repository, params, body }) => {
      const { name } = valueOf(repository, params["name"]);
      context.store.change(() => {
        repository.variables[name] = body.value ?? repository.variables[name] ?? "";
      });
      return noContent();
    },
  ),
];
