import { accountEmail } from "../../google/full-names.ts";
import type { Google } from "./google.ts";
import {
  apis,
  CI_ACCOUNTS,
  ciGrants,
  DRIFT,
  drift,
  legacyBindings,
  maintainers,
  organization,
  state,
} from "./google-steps.ts";
import { type Github, PROTECTION, protection, variables } from "./github.ts";
import type { Step } from "./step.ts";
import {
  INFRASTRUCTURE,
  infrastructure,
  type PulumiCli,
  STACKS,
  stackSteps,
  variableValues,
} from "./stack-steps.ts";
import { DRIFT_ACCOUNT_ID, type Wanted } from "./wanted.ts";

/** All steps in order: grants before bindings are removed, protection before anything can publish. */
export async function stepsOf(
  wanted: Wanted,
  google: Google,
  github: Github | undefined,
  pulumi: PulumiCli,
  root: string,
): Promise<Step[]> {
  const ids = await github?.ids();
  const settings =
    github === undefined || ids === undefined
      ? {}
      : {
          githubRepository: github.repository,
          githubRepositoryId: ids.repository,
          githubOwnerId: ids.owner,
          ciCanPublish: "true",
        };
  const email = wanted.drift ? accountEmail(wanted.project, DRIFT_ACCOUNT_ID) : undefined;
  const protectedStacks = github === undefined ? [STACKS] : [STACKS, PROTECTION];
  const beforeVariables = [PROTECTION, INFRASTRUCTURE, CI_ACCOUNTS, ...(wanted.drift ? [DRIFT] : [])];
  return [
    apis(google, wanted),
    organization(google, wanted),
    state(google, wanted),
    maintainers(google, wanted),
    legacyBindings(google, wanted),
    ...(github === undefined ? [] : [protection(github, root)]),
    stackSteps(google, wanted, pulumi, settings),
    infrastructure(wanted, pulumi, protectedStacks),
    ...(github === undefined ? [] : [ciGrants(google, wanted, [INFRASTRUCTURE])]),
    ...(wanted.drift ? [drift(google, wanted, [INFRASTRUCTURE])] : []),
    ...(github === undefined
      ? []
      : [variables(github, () => variableValues(wanted, pulumi, email), beforeVariables)]),
  ];
}
