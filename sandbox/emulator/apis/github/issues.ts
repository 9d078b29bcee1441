import { z } from "zod";
import { missing } from "../../support/github/errors.ts";
import type { GithubIssue, GithubRepository } from "../../support/github/repositories.ts";
import {
  bodyRoute,
  type Call,
  created,
  type Need,
  paged,
  repositoryRoute,
} from "../../support/github/route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const READ: Need = { permission: "issues", level: "read", role: "read" };
const WRITE: Need = { ...READ, level: "write" };
/** Pull requests are issues too (https://docs.github.com/rest/issues/comments). */
const READ_COMMENTS: Need = { ...READ, or: "pull_requests" };
const COMMENT: Need = { ...WRITE, or: "pull_requests" };
const PULL: Need = { ...WRITE, permission: "pull_requests" };

const COMMENTS = "/issues/{number}/comments";
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
const pull = newIssue.extend({ head: z.string(), base: z.string() });

function issueOf({ issues }: GithubRepository, number = ""): GithubIssue {
  const issue = issues.find((each) => String(each.number) === number);
  if (issue === undefined) throw missing();
  return issue;
}

const userOf = (login: string): object => ({ login, type: login.endsWith("[bot]") ? "Bot" : "User" });

const described = ({ login, comments, isPull, ...rest }: GithubIssue): object => ({
  ...rest,
  user: userOf(login),
  comments: comments.length,
  ...(isPull && { pull_request: {} }),
});

const commentOf = ({ id, login, body }: GithubIssue["comments"][number]): object => ({
  id,
  body,
  user: userOf(login),
});

function open(
  { context, repository: { issues }, caller: { login } }: Call,
  { title, body = null }: z.infer<typeof newIssue>,
  isPull: boolean,
): Response {
  const number = issues.length + 1;
  const issue: GithubIssue = { number, login, title, body, state: "open", isPull, comments: [] };
  context.store.change(() => issues.push(issue));
  return created(described(issue));
}

/** Issues, pull requests and comments (https://docs.github.com/rest/issues). */
export const issues: OpenRoute[] = [
  repositoryRoute("GET", "/issues", READ, ({ repository, query, request }) => {
    const state = query.get("state") ?? "open";
    const creator = query.get("creator");
    const found = repository.issues.filter(
      (each) => (state === "all" || each.state === state) && (creator === null || each.login === creator),
    );
    return paged(request, found.reverse().map(described));
  }),
  bodyRoute("POST", "/issues", WRITE, newIssue, (call) => open(call, call.body, false)),
  bodyRoute("POST", "/pulls", PULL, pull, (call) => open(call, call.body, true)),
  bodyRoute("PATCH", "/issues/{number}", WRITE, changedIssue, ({ context, repository, params, body }) => {
    const issue = issueOf(repository, params["number"]);
    context.store.change(() => Object.assign(issue, body));
    return described(issue);
  }),
  repositoryRoute("GET", COMMENTS, READ_COMMENTS, ({ repository, params, request }) =>
    paged(request, issueOf(repository, params["number"]).comments.map(commentOf)),
  ),
  bodyRoute("POST", COMMENTS, COMMENT, comment, ({ context, repository, params, caller, body }) => {
    const { comments } = issueOf(repository, params["number"]);
    return context.store.change((state) => {
      const made = { id: state.nextId++, login: caller.login, ...body };
      comments.push(made);
      return created(commentOf(made));
    });
  }),
  bodyRoute("PATCH", "/issues/comments/{id}", COMMENT, comment, ({ context, repository, params, body }) => {
    const all = repository.issues.flatMap(({ comments }) => comments);
    const found = all.find(({ id }) => String(id) === params["id"]);
    if (found === undefined) throw missing();
    context.store.change(() => Object.assign(found, body));
    return commentOf(found);
  }),
];
