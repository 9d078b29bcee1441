import { z } from "zod";
import type { GithubRepository } from "../../support/github/repositories.ts";
import { bodyRoute, type Need, noContent, repositoryRoute } from "../../support/github/route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const READ: Need = { permission: "metadata", level: "read", role: "read" };
const ADMINISTER: Need = { permission: "administration", level: "write", role: "admin" };

const workflowBody = z.object({
  default_workflow_permissions: z.enum(["read", "write"]).optional(),
  can_approve_pull_request_reviews: z.boolean().optional(),
});

const described = ({ id, name, owner, private: isPrivate }: GithubRepository): object => ({
  id,
  name,
  full_name: `${owner.login}/${name}`,
  private: isPrivate,
  owner,
  default_branch: "main",
});

/** Repositories (https://docs.github.com/rest/repos/repos). */
export const repositories: OpenRoute[] = [
  repositoryRoute("GET", "", READ, ({ repository }) => described(repository)),
  repositoryRoute(
    "GET",
    "/actions/permissions/workflow",
    { ...ADMINISTER, level: "read" },
    ({ repository }) => repository.workflowPermissions,
  ),
  bodyRoute(
    "PUT",
    "/actions/permissions/workflow",
    ADMINISTER,
    workflowBody,
    ({ context, repository, body }) => {
      context.store.change(() => {
        Object.assign(repository.workflowPermissions, body);
      });
      return noContent();
    },
  ),
];
