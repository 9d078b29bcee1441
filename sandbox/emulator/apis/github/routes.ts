import { GITHUB_ISSUER } from "../../../../components/ci/github-claims.ts";
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

/** What can be asked for in the token route's query, by the names of GitHub's claims. */
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

/**
 * The issuer of GitHub Actions' tokens, the place where a run of a workflow gets one, and GitHub's REST API, whose address
 * a runner has in `GITHUB_API_URL`.
 */
export const routes: OpenRoute[] = [
  ...repositories,
  ...environments,
  ...rulesets,
  ...variables,
  ...issues,
  ...releases,
  ...workflows,
  {
    method: "GET",
    path: "github/.well-known/openid-configuration",
    open: (request) =>
      Response.json({
        issuer: GITHUB_ISSUER,
        jwks_uri: new URL("/github/.well-known/jwks", request.url).href,
        subject_types_supported: ["public", "pairwise"],
        response_types_supported: ["id_token"],
        id_token_signing_alg_values_supported: ["RS256"],
        scopes_supported: ["openid"],
      }),
  },
  {
    method: "GET",
    path: "github/.well-known/jwks",
    open: async (_, context) => {
      const { githubKeys } = await import("../../support/github-issuer.ts");
      return Response.json(await githubKeys(context.sandboxDir));
    },
  },
  {
    // As `ACTIONS_ID_TOKEN_REQUEST_URL` of a runner answers; here the query says which run it is.
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
