import { isAllowed } from "../policies/access.ts";
import { findProject } from "../projects.ts";
import type { Project } from "../resources.ts";
import { serviceTitle } from "../service-names.ts";
import { type Caller, InvalidTokenError, verifyAccessToken } from "../../../lib/tokens.ts";
import type { Context } from "../context.ts";
import { parseBody } from "./body.ts";
import {
  invalidArgument,
  permissionDenied,
  serviceDisabled,
  quotaProjectDenied,
  quotaProjectMissing,
  unauthenticated,
} from "./errors.ts";
import { selectFields } from "./fields.ts";
import { type OpenRoute, type Params, type Route, templatePattern } from "./route.ts";

interface Match<R> {
  route: R;
  params: Params;
}

/** Finds the route of a request. */
export class Router {
  private readonly routes: { route: Route | OpenRoute; pattern: RegExp }[];

  constructor(routes: (Route | OpenRoute)[]) {
    this.routes = routes.map((route) => ({ route, pattern: templatePattern(route.path) }));
  }

  match(method: string, path: string): Match<Route | OpenRoute> | undefined {
    for (const { route, pattern } of this.routes) {
      const found = route.method === method ? pattern.exec(path) : null;
      if (!found) continue;
      try {
        const params = Object.entries(found.groups ?? {}).map(([name, value]) => [
          name,
          decodeURIComponent(value),
        ]);
        return { route, params: Object.fromEntries(params) as Params };
      } catch {
        throw invalidArgument(`Invalid percent-encoding in the path ${path}`);
      }
    }
    return undefined;
  }
}

/** Who sends the request; throws 401 without a good access token. */
export async function authenticate(
  context: Context,
  request: Request,
  now: Date = context.now(),
): Promise<Caller> {
  const header = request.headers.get("authorization") ?? "";
  const token = /^Bearer (.+)$/i.exec(header)?.[1] ?? new URL(request.url).searchParams.get("access_token");
  if (!token) throw unauthenticated("CREDENTIALS_MISSING");
  try {
    const caller = await verifyAccessToken(context.sandboxDir, token, now);
    const account = context.store.state.serviceAccounts[caller.principal.replace(/^serviceAccount:/, "")];
    if (account?.disabled === true) throw new InvalidTokenError("the service account is disabled");
    return caller;
  } catch (error) {
    if (error instanceof InvalidTokenError) throw unauthenticated("ACCESS_TOKEN_EXPIRED");
    throw error;
  }
}

/** APIs that count a call for the caller's project, not for that of the resource: a person's own login has none. */
const NEED_QUOTA_PROJECT = ["orgpolicy.googleapis.com"];

/** The project that pays for a call, where the caller names one, must exist and be the caller's to use. */
function checkQuotaProject(context: Context, caller: Caller, name: string): void {
  if (name === "") return;
  const project = findProject(context, name);
  if (project && isAllowed(context, caller, "serviceusage.services.use", `projects/${project.projectId}`))
    return;
  throw quotaProjectDenied(name);
}

/** Throws 403 unless the API is enabled in the project. */
export function requireService(project: Project, service: string): void {
  if (!project.services.includes(service))
    throw serviceDisabled(service, serviceTitle(service), project.projectNumber);
}

/**
 * The projects in which the API must be enabled: that of the resource, and that which the call counts for, which for a
 * service account is its own (kubeflow/kfctl#74). A person's reading of a project counts for the Cloud SDK's own.
 */
function projectsToAsk(
  context: Context,
  { service }: Route,
  { principal }: Caller,
  quotaProject: string,
  resource: string,
): Project[] {
  const account = /^serviceAccount:.+@(.+)\.iam\.gserviceaccount\.com$/.exec(principal)?.[1];
  const consumer = quotaProject || account;
  const ofPerson = consumer === undefined && principal.startsWith("user:");
  const names = [
    ...(ofPerson && service === "cloudresourcemanager.googleapis.com" ? [] : [resource.split("/")[1]]),
    consumer,
  ];
  return names.map((name) => findProject(context, name ?? "")).filter((project) => project !== undefined);
}

/** Runs a route of an API: who calls, is the API on, may the caller, is the body right. */
export async function serve(
  context: Context,
  { route, params }: Match<Route>,
  request: Request,
): Promise<object> {
  const caller = await authenticate(context, request);
  const quotaProject = request.headers.get("x-goog-user-project") ?? "";
  if (
    quotaProject === "" &&
    NEED_QUOTA_PROJECT.includes(route.service) &&
    caller.principal.startsWith("user:")
  )
    throw quotaProjectMissing(route.service);
  checkQuotaProject(context, caller, quotaProject);
  const named = params["project"];
  if (named !== undefined && named !== "-") {
    const project = findProject(context, named);
    if (!project)
      throw permissionDenied(
        route.service,
        route.permission ?? "resourcemanager.projects.get",
        `projects/${named}`,
      );
    params["project"] = project.projectId;
  }
  const resource = route.resource?.(params, context) ?? `projects/${params["project"] ?? ""}`;
  for (const project of projectsToAsk(context, route, caller, quotaProject, resource))
    requireService(project, route.service);
  if (route.permission !== undefined && !isAllowed(context, caller, route.permission, resource))
    throw permissionDenied(route.service, route.permission, resource);
  const url = new URL(request.url);
  const text = await request.text();
  const body = route.body ? parseBody(route.body, text) : undefined;
  const answer = await route.handle({ context, params, query: url.searchParams, body, caller });
  const fields = url.searchParams.get("fields");
  return fields === null ? answer : (selectFields(answer, fields) as object);
}
