import { z } from "zod";
import { GithubError } from "../../support/github/errors.ts";
import type { GithubRepository, GithubWorkflow } from "../../support/github/repositories.ts";
import { githubRoute, type Need, noContent, repositoryRoute } from "../../support/github/route.ts";
import { adminRoute } from "../../support/http/admin-route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const need = (level: Need["level"]): Need => ({ permission: "actions", level, role: "write" });
const WORKFLOW = "/actions/workflows/{file}";

const dispatch = z.object({ ref: z.string(), inputs: z.record(z.string(), z.string()).optional() });

const workflowOf = ({ workflows }: GithubRepository, file = ""): GithubWorkflow =>
  workflows[file] ?? { state: "active", runs: [] };

/** Workflows, and the OIDC token of a job (https://docs.github.com/rest/actions/workflows). */
export const workflows: OpenRoute[] = [
  repositoryRoute("GET", WORKFLOW, need("read"), ({ repository, params: { file = "" } }) => {
    const { state } = workflowOf(repository, file);
    return { name: file.replace(/\.ya?ml$/, ""), path: `.github/workflows/${file}`, state };
  }),
  ...(["enable", "disable"] as const).map((change) =>
    repositoryRoute(
      "PUT",
      `${WORKFLOW}/${change}`,
      need("write"),
      ({ context, repository, params: { file = "" } }) => {
        const { runs } = workflowOf(repository, file);
        const state = change === "enable" ? "active" : "disabled_manually";
        context.store.change(() => (repository.workflows[file] = { state, runs }));
        return noContent();
      },
    ),
  ),
  repositoryRoute("GET", `${WORKFLOW}/runs`, need("read"), ({ repository, params }) => {
    const { runs } = workflowOf(repository, params["file"]);
    return { total_count: runs.length, workflow_runs: runs };
  }),
  repositoryRoute(
    "POST",
    `${WORKFLOW}/dispatches`,
    need("write"),
    ({ context, repository, params: { file = "" }, body: { ref } }) => {
      const { state, runs } = workflowOf(repository, file);
      if (state !== "active")
        throw new GithubError(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow");
      const started = { event: "workflow_dispatch", head_branch: ref };
      context.store.change(() => (repository.workflows[file] = { state, runs: [...runs, started] }));
      return noContent();
    },
    dispatch,
  ),
  // `ACTIONS_ID_TOKEN_REQUEST_URL` of a runner.
  githubRoute("GET", "actions/id-token", async ({ context, query, caller }) => {
    const { permissions, run } = caller;
    if (permissions?.["id_token"] !== "write" || run === undefined)
      throw new GithubError(403, "Resource not accessible by integration");
    const audience = query.get("audience");
    const { mintGithubToken } = await import("../../support/github-issuer.ts");
    const value = await mintGithubToken(context.sandboxDir, {
      ...run,
      ...(audience !== null && { audience }),
    });
    return { count: 1, value };
  }),
  // GitHub does this after 60 days without activity.
  adminRoute("POST", "github/{owner}/{repo}/{file}/sleep", ({ store }, _, { owner, repo, file = "" }) => {
    const repository = store.state.github[`${String(owner)}/${String(repo)}`];
    if (repository === undefined) throw new GithubError(404, "Not Found");
    const { runs } = workflowOf(repository, file);
    return store.change(() => (repository.workflows[file] = { state: "disabled_inactivity", runs }));
  }),
];
