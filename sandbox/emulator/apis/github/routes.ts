import type { OpenRoute } from "../../support/http/route.ts";
import { environments } from "./environments.ts";
import { issues } from "./issues.ts";
import { releases } from "./releases.ts";
import { repositories } from "./repositories.ts";
import { rulesets } from "./rulesets.ts";
import { variables } from "./variables.ts";
import { workflows } from "./workflows.ts";

/** GitHub's REST API (`GITHUB_API_URL` of a runner), and OIDC tokens of workflow runs. */
export const routes: OpenRoute[] = [
  ...repositories,
  ...environments,
  ...rulesets,
  ...variables,
  ...issues,
  ...releases,
  ...workflows,
];
