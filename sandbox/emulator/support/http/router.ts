import { isAllowed } from "../policies/access.ts";
import { findProject } from "../projects.ts";
import type { Project } from "../resources.ts";
import { serviceTitle } from "../service-names.ts";
import { type Caller, InvalidTokenError, verifyAccessToken } from "../../../lib/tokens.ts";
import type { Context } from "../context.ts";
import { parseBody } from "./body.ts";
import {
  permissionDenied,
  serviceDisabled,
  quotaProjectDenied,
  quotaProjectMissing,
  unauthenticated,
} from "./errors.ts";
import { selectFields } from "./fields.ts";
import type { Params, Route } from "./route.ts";

/** The caller. @throws ApiError 401 without a valid access token. */
export async function authenticate(
  context: Context,
  request: Request,
  now: Date = context.now(),
): Promise<Caller> {
  const header = request.headers.get("authorization") ?? "";
  const token = /^Bearer (.+)$/i.exec(header)?.[1] ?? new URL(request.url).searchParams.get("access_token");
  if (!token) throw unauthenticated("CREDENTIALS_MISSING");
  try {
    return await verifyAccessToken(context.sandboxDir, token, now);
  } catch (error) {
    if (error instanceof InvalidTokenError) throw unauthenticated("ACCESS_TOKEN_EXPIRED");
    throw error;
  }
}

/** APIs that require a quota project from a person's own login. */
const NEED_QUOTA_PROJECT = ["orgpolicy.googleapis.com"];

/** @throws ApiError 403 if the quota project does not exist or the caller has no permission to use it. */
function checkQuotaProject(context: Context, caller: Caller, name: string): void {
  if (name === "") return;
  const project = findProject(context, name);
  if (project && isAllowed(context, caller, "serviceusage.services.use", `projects/${project.projectId}`))
    return;
  throw quotaProjectDenied(name);
}

/** @throws ApiError 403 unless the API is enabled in the project. */
export function requireService(project: Project, service: string): void {
  if (!project.services.includes(service))
    throw serviceDisabled(service, serviceTitle(service), project.projectNumber);
}

/**
 * The projects in which the API must be enabled: the resource's project and the consumer project. The consumer of a
 * service account's call is the account's own project (kubeflow/kfctl#74). The consumer of a person's calls to Resource
 * Manager is the Cloud SDK's project.
 */
function projectsToCheck(
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

/** Runs a route after checking the token, the API, the permission and the body. */
export async function serve(
  context: Context,
  route: Route,
  params: Params,
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
  for (const project of projectsToCheck(context, route, caller, quotaProject, resource))
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
