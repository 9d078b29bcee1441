import { z } from "zod";
import { missing } from "../../support/github/errors.ts";
import type { GithubIssue, GithubRepository } from "../../support/github/repositories.ts";
import { created, type Need, paged, repositoryRoute } from "../../support/github/route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const need = (level: Need["level"]): Need => ({ permission: "issues", level, role: "read" });
/** Pull requests are issues too (https://docs.github.com/rest/issues/comments). */
const needOfComments = (level: Need["level"]): Need => ({ ...need(level), or: "pull_requests" });

const ISSUES = "/issues";
const title = z.string().min(1);
const body = z.string().max(65536).nullish();

const newIssue = z.object({ title, body });
const changedIssue = z.object({
  title: title.optional(),
  body,
  state: z.enum(["open", "closed"]).optional(),
  state_reason: z.enum(["completed", "not_planned", "reopened"]).nullish(),
});
const comment = z.object({ body: z.string().min(1).max(65536) });
const pullRequest = z.object({ title, body, head: z.string(), base: z.string() });

function issueOf(repository: GithubRepository, number = ""): GithubIssue {
  const issue = repository.issues.find((each) => String(each.number) === number);
  if (issue === undefined) throw missing();
  return issue;
}

function described(issue: GithubIssue): object {
  const { login, comments, pullRequest, ...rest } = issue;
  const user = { login, type: login.endsWith("[bot]") ? "Bot" : "User" };
  return { ...rest, user, comments: comments.length, ...(pullRequest && { pull_request: {} }) };
}

/** Issues, pull requests and comments (https://docs.github.com/rest/issues). */
export const issues: OpenRoute[] = [
  repositoryRoute("GET", ISSUES, need("read"), ({ repository, query, request }) => {
    const state = query.get("state") ?? "open";
    const creator = query.get("creator");
    const found = repository.issues.filter(
      (each) => (state === "all" || each.state === state) && (creator === null || each.login === creator),
    );
    return paged(request, found.reverse().map(described));
  }),
  repositoryRoute(
    "POST",
    ISSUES,
    need("write"),
    ({ context, repository, caller, body }) =>
      created(described(context.store.change(() => addIssue(repository, caller.login, body)))),
    newIssue,
  ),
  repositoryRoute(
    "PATCH",
    `${ISSUES}/{number}`,
    need("write"),
    ({ context, repository, params, body }) => {
      const issue = issueOf(repository, params["number"]);
      context.store.change(() => Object.assign(issue, body));
      return described(issue);
    },
    changedIssue,
  ),
  repositoryRoute(
    "GET",
    `${ISSUES}/{number}/comments`,
    needOfComments("read"),
    ({ repository, params, request }) =>
      paged(request, issueOf(repository, params["number"]).comments.map(commentOf)),
  ),
  repositoryRoute(
    "POST",
    `${ISSUES}/{number}/comments`,
    needOfComments("write"),
    ({ context, repository, params, caller, body }) => {
      const issue = issueOf(repository, params["number"]);
      const made = context.store.change((state) => {
        const one = { id: state.nextId++, login: caller.login, ...body };
        issue.comments.push(one);
        return one;
      });
      return created(commentOf(made));
    },
    comment,
  ),
  repositoryRoute(
    "PATCH",
    `${ISSUES}/comments/{id}`,
    needOfComments("write"),
    ({ context, repository, params, body }) => {
      const found = repository.issues
        .flatMap(({ comments }) => comments)
        .find(({ id }) => String(id) === params["id"]);
      if (found === undefined) throw missing();
      context.store.change(() => Object.assign(found, body));
      return commentOf(found);
    },
    comment,
  ),
  repositoryRoute(
    "POST",
    "/pulls",
    { permission: "pull_requests", level: "write", role: "read" },
    ({ context, repository, caller, body: { title, body, head, base } }) => {
      const made = context.store.change(() => {
        const issue = addIssue(repository, caller.login, { title, body });
        issue.pullRequest = { head, base };
        return issue;
      });
      return created(described(made));
    },
    pullRequest,
  ),
];

function addIssue(
  repository: GithubRepository,
  login: string,
  { title, body }: z.infer<typeof newIssue>,
): GithubIssue {
  const number = repository.issues.length + 1;
  const issue: GithubIssue = { number, login, title, body: body ?? null, state: "open", comments: [] };
  repository.issues.push(issue);
  return issue;
}

const commentOf = ({ id, login, body }: GithubIssue["comments"][number]): object => ({
  id,
  body,
  user: { login, type: login.endsWith("[bot]") ? "Bot" : "User" },
});
