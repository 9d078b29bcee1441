import { z } from "zod";
import type { Context } from "../../support/context.ts";
import { GithubError } from "../../support/github/errors.ts";
import type { GithubRepository, GithubWorkflow } from "../../support/github/repositories.ts";
import { bodyRoute, githubRoute, type Need, noContent, repositoryRoute } from "../../support/github/route.ts";
import { notFound } from "../../support/http/errors.ts";
import { adminRoute } from "../../support/http/admin-route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const READ: Need = { permission: "actions", level: "read", role: "write" };
const WRITE: Need = { ...READ, level: "write" };
const WORKFLOW = "/actions/workflows/{file}";

const dispatch = z.object({ ref: z.string(), inputs: z.record(z.string(), z.string()).optional() });

const workflowOf = ({ workflows }: GithubRepository, file = ""): GithubWorkflow =>
  workflows[file] ?? { state: "active", runs: [] };

function changeWorkflow(
  { store }: Context,
  repository: GithubRepository,
  file = "",
  change: Partial<GithubWorkflow>,
): void {
  store.change(() => {
    repository.workflows[file] = { ...workflowOf(repository, file), ...change };
  });
}

/** Workflows, and the OIDC token of a job (https://docs.github.com/rest/actions/workflows). */
export const workflows: OpenRoute[] = [
  repositoryRoute("GET", WORKFLOW, READ, ({ repository, params: { file = "" } }) => {
    const { state } = workflowOf(repository, file);
    return { name: file.replace(/\.ya?ml$/, ""), path: `.github/workflows/${file}`, state };
  }),
  ...(["enable", "disable"] as const).map((change) =>
    repositoryRoute("PUT", `${WORKFLOW}/${change}`, WRITE, ({ context, repository, params: { file } }) => {
      changeWorkflow(context, repository, file, {
        state: change === "enable" ? "active" : "disabled_manually",
      });
      return noContent();
    }),
  ),
  repositoryRoute("GET", `${WORKFLOW}/runs`, READ, ({ repository, params: { file } }) => {
    const { runs } = workflowOf(repository, file);
    return { total_count: runs.length, workflow_runs: runs };
  }),
  bodyRoute("POST", `${WORKFLOW}/dispatches`, WRITE, dispatch, ({ context, repository, params, body }) => {
    const { state, runs } = workflowOf(repository, params["file"]);
    if (state !== "active")
      throw new GithubError(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow");
    const run = { event: "workflow_dispatch", head_branch: body.ref };
    changeWorkflow(context, repository, params["file"], { runs: [...runs, run] });
    return noContent();
  }),
  // `ACTIONS_ID_TOKEN_REQUEST_URL` of a runner.
  githubRoute("GET", "actions/id-token", async ({ context, query, caller }) => {
    const { permissions, run } = caller;
    if (permissions?.["id_token"] !== "write" || run === undefined)
      throw new GithubError(403, "Resource not accessible by integration");
    const audience = query.get("audience") ?? undefined;
    const { mintGithubToken } = await import("../../support/github-issuer.ts");
    return { count: 1, value: await mintGithubToken(context.sandboxDir, { ...run, audience }) };
  }),
  // GitHub does this after 60 days without activity.
  adminRoute("POST", "github/{owner}/{repo}/{file}/sleep", (context, _, { owner, repo, file }) => {
    const repository = context.store.state.github[`${String(owner)}/${String(repo)}`];
    if (repository === undefined) throw notFound();
    const change = { state: "disabled_inactivity" } as const;
    changeWorkflow(context, repository, file, change);
    return change;
  }),
];
