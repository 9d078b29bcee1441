import type { GithubRun } from "../../support/github-issuer.ts";
import { authenticateMaintainer } from "../../support/http/admin-route.ts";
import type { OpenRoute } from "../../support/http/route.ts";
import { environments } from "./environments.ts";
import { issues } from "./issues.ts";
import { releases } from "./releases.ts";
import { repositories } from "./repositories.ts";
import { rulesets } from "./rulesets.ts";
import { variables } from "./variables.ts";
import { workflows } from "./workflows.ts";

/** Query parameters of the token route, named after GitHub's claims. */
const QUERY: Readonly<Record<string, keyof GithubRun>> = {
  audience: "audience",
  repository: "repository",
  repository_id: "repositoryId",
  repository_owner_id: "ownerId",
  event_name: "eventName",
  ref: "ref",
  workflow: "workflow",
  environment: "environment",
  actor: "actor",
  iss: "issuer",
};

/** GitHub's REST API (`GITHUB_API_URL` of a runner), and OIDC tokens of workflow runs. */
export const routes: OpenRoute[] = [
  ...repositories,
  ...environments,
  ...rulesets,
  ...variables,
  ...issues,
  ...releases,
  ...workflows,
  {
    // Answers as `ACTIONS_ID_TOKEN_REQUEST_URL` of a runner. The query describes the run.
    method: "GET",
    path: "github/token",
    open: async (request, context) => {
      await authenticateMaintainer(context, request);
      const query = new URL(request.url).searchParams;
      const run = Object.fromEntries(
        [...query].flatMap(([name, value]) => {
          const field = QUERY[name];
          return field === undefined ? [] : [[field, value]];
        }),
      ) as GithubRun;
      const { mintGithubToken } = await import("../../support/github-issuer.ts");
      return Response.json({ count: 1, value: await mintGithubToken(context.sandboxDir, run) });
    },
  },
];
