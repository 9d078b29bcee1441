import { z } from "zod";
import { GITHUB_PERSON, type GithubRepository } from "../../support/github/repositories.ts";
import { missing } from "../../support/github/errors.ts";
import { githubRoute, type Need, noContent, repositoryRoute } from "../../support/github/route.ts";
import type { GithubCaller } from "../../support/github/tokens.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const READ: Need = { permission: "metadata", level: "read", role: "read" };
const ADMINISTER: Need = { permission: "administration", level: "write", role: "admin" };

const workflowBody = z.object({
  default_workflow_permissions: z.enum(["read", "write"]).optional(),
  can_approve_pull_request_reviews: z.boolean().optional(),
});

function described(repository: GithubRepository, { login, permissions }: GithubCaller): object {
  const { id, name, owner } = repository;
  const role = permissions === undefined ? (repository.collaborators[login] ?? "read") : "read";
  return {
    id,
    name,
    full_name: `${owner.login}/${name}`,
    private: repository.private,
    visibility: repository.private ? "private" : "public",
    owner,
    default_branch: "main",
    permissions: { admin: role === "admin", push: role !== "read", pull: true },
  };
}

/** Repositories and accounts (https://docs.github.com/rest/repos/repos). */
export const repositories: OpenRoute[] = [
  repositoryRoute("GET", "", READ, ({ repository, caller }) => described(repository, caller)),
  repositoryRoute(
    "GET",
    "/actions/permissions/workflow",
    { ...ADMINISTER, level: "read" },
    ({ repository }) => repository.workflowPermissions,
  ),
  repositoryRoute(
    "PUT",
    "/actions/permissions/workflow",
    ADMINISTER,
    ({ context, repository, body }) => {
      context.store.change(() => {
        Object.assign(repository.workflowPermissions, body);
      });
      return noContent();
    },
    workflowBody,
  ),
  githubRoute("GET", "user", ({ caller }) => {
    if (caller.login !== GITHUB_PERSON.login || caller.permissions !== undefined) throw missing();
    return GITHUB_PERSON;
  }),
];
