import type { z } from "zod";
import type { Context } from "../context.ts";
import type { OpenRoute, Params } from "../http/route.ts";
import { GithubError, missing } from "./errors.ts";
import type { GithubRepository } from "./repositories.ts";
import type { GithubCaller } from "./tokens.ts";

/** What a route requires. Permissions are named as in https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens. */
export interface Need {
  permission: string;
  /** Another permission that is enough. */
  or?: string;
  level: "read" | "write";
  /** The role that a person needs in the repository. */
  role: "read" | "write" | "admin";
}

export interface Call {
  context: Context;
  repository: GithubRepository;
  params: Params;
  query: URLSearchParams;
  caller: GithubCaller;
  request: Request;
}

/** The body of an answer with status 200, or a response. */
type Answer = object | Promise<object>;

const ROLES = ["read", "write", "admin"];
const LEVELS = ["read", "write"];

function check(repository: GithubRepository, { login, permissions }: GithubCaller, need: Need): void {
  if (permissions === undefined) {
    const role = repository.collaborators[login] ?? (repository.private ? undefined : "read");
    if (ROLES.indexOf(role ?? "") < ROLES.indexOf(need.role)) throw missing();
    return;
  }
  const levels = [need.permission, need.or ?? ""].map((name) => LEVELS.indexOf(permissions[name] ?? ""));
  if (Math.max(...levels) < LEVELS.indexOf(need.level))
    throw new GithubError(403, "Resource not accessible by integration");
}

async function readBody<B>(schema: z.ZodType<B>, request: Request): Promise<B> {
  const result = schema.safeParse(JSON.parse((await request.text()) || "{}"));
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`);
  throw new GithubError(422, `Invalid request.\n\n${lines.join("\n")}`);
}

/**
 * A route of GitHub's REST API below `/repos/OWNER/NAME`.
 *
 * @param path below the repository: `/environments/{environment}`; may be empty.
 */
export function repositoryRoute(
  method: OpenRoute["method"],
  path: string,
  need: Need,
  handle: (call: Call) => Answer,
): OpenRoute {
  return githubRoute(method, `repos/{owner}/{repo}${path}`, (call) => {
    const { owner = "", repo = "" } = call.params;
    const repository = Object.entries(call.context.store.state.github).find(
      ([name]) => name.toLowerCase() === `${owner}/${repo}`.toLowerCase(),
    )?.[1];
    if (!repository) throw missing();
    check(repository, call.caller, need);
    return handle({ ...call, repository });
  });
}

/** The same for a request with a body. */
export function bodyRoute<B>(
  method: OpenRoute["method"],
  path: string,
  need: Need,
  schema: z.ZodType<B>,
  handle: (call: Call & { body: B }) => Answer,
): OpenRoute {
  return repositoryRoute(method, path, need, async (call) =>
    handle({ ...call, body: await readBody(schema, call.request) }),
  );
}

/** A route of GitHub's REST API. */
export function githubRoute(
  method: OpenRoute["method"],
  path: string,
  handle: (call: Omit<Call, "repository">) => Answer,
): OpenRoute {
  return {
    method,
    path: `api/v3/${path}`,
    open: async (request, context, params) => {
      const { githubCaller } = await import("./tokens.ts");
      const caller = await githubCaller(context, request);
      const query = new URL(request.url).searchParams;
      const answer = await handle({ context, params, query, caller, request });
      return answer instanceof Response ? answer : Response.json(answer);
    },
  };
}

/** A page of a list with a link to the next one (https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api). */
export function paged(request: Request, all: object[]): Response {
  const url = new URL(request.url);
  const size = Number(url.searchParams.get("per_page") ?? 30);
  const page = Number(url.searchParams.get("page") ?? 1);
  url.searchParams.set("page", String(page + 1));
  const next = page * size < all.length ? { link: `<${url.href}>; rel="next"` } : {};
  return Response.json(all.slice((page - 1) * size, page * size), { headers: next });
}

export const noContent = (): Response => new Response(null, { status: 204 });

export const created = (body: object = {}): Response => Response.json(body, { status: 201 });
