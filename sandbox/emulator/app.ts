import { admin } from "./apis/admin/routes.ts";
import { contents } from "./apis/artifact-registry/contents.ts";
import { github } from "./apis/github/routes.ts";
import { iamCredentials } from "./apis/iam-credentials/routes.ts";
import { locations } from "./apis/artifact-registry/locations.ts";
import { repositories } from "./apis/artifact-registry/repositories.ts";
import { operations } from "./apis/operations/routes.ts";
import { orgPolicy } from "./apis/org-policy/routes.ts";
import { resourceManager } from "./apis/resource-manager/routes.ts";
import { roles } from "./apis/iam/roles.ts";
import { serviceAccounts } from "./apis/iam/service-accounts.ts";
import { serviceUsage } from "./apis/service-usage/routes.ts";
import { sts } from "./apis/sts/routes.ts";
import { workloadIdentity } from "./apis/iam/workload-identity.ts";
import { withFaults } from "./support/faults/inject.ts";
import { ApiError } from "./support/http/errors.ts";
import type { OpenRoute, Route } from "./support/http/route.ts";
import { Router, serve } from "./support/http/router.ts";
import { tokenServer } from "./apis/registry/routes.ts";
import type { Context } from "./support/context.ts";

const health: OpenRoute = { method: "GET", path: "healthz", open: () => Response.json({ status: "ok" }) };

const ROUTES: (Route | OpenRoute)[] = [
  health,
  ...tokenServer,
  ...admin,
  ...github,
  ...sts,
  ...serviceUsage,
  ...resourceManager,
  ...locations,
  ...repositories,
  ...contents,
  ...serviceAccounts,
  ...roles,
  ...workloadIdentity,
  ...iamCredentials,
  ...operations,
  ...orgPolicy,
];

/** What a request goes to: a template for counting and faults, and the answer. */
function dispatch(
  context: Context,
  router: Router,
  request: Request,
): { template: string; answer: () => Promise<Response> } {
  const { method } = request;
  const { pathname } = new URL(request.url);
  const match = router.match(method, pathname.replace(/\/{2,}/g, "/"));
  if (!match) {
    const message = `The sandbox does not know ${method} ${pathname}.`;
    console.error(message);
    throw new ApiError(
      "UNIMPLEMENTED",
      `${message} It answers what the registry's stack and gcloud ask for; see sandbox/README.md.`,
    );
  }
  const { route, params } = match;
  return {
    template: route.path,
    answer: async () =>
      "open" in route
        ? route.open(request, context, params)
        : Response.json(await serve(context, { route, params }, request)),
  };
}

/** The sandbox's own routes are neither counted nor disturbed. */
function isOwn(template: string): boolean {
  return template === "healthz" || template.startsWith("sandbox/");
}

async function respond(context: Context, router: Router, request: Request): Promise<Response> {
  let template = new URL(request.url).pathname;
  let response: Response;
  try {
    const target = dispatch(context, router, request);
    template = target.template;
    const answer = (): Promise<Response> =>
      target.answer().catch((error: unknown) => errorAnswer(context, request, error));
    response = isOwn(template) ? await answer() : await withFaults(context, request, template, answer);
  } catch (error) {
    response = errorAnswer(context, request, error);
  }
  if (!isOwn(template)) context.requests.count(request.method, template, response.status);
  return response;
}

function errorAnswer(context: Context, request: Request, error: unknown): Response {
  const known =
    error instanceof ApiError
      ? error
      : new ApiError("INTERNAL", "Internal error of the sandbox; see logs/emulator.log.");
  const what =
    error instanceof ApiError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  context.log(`${known.httpStatus} ${request.method} ${new URL(request.url).pathname}: ${what}`);
  return Response.json(known.toJSON(), { status: known.httpStatus });
}

/** Answers a request to any of the emulated APIs. */
export type Answer = (request: Request) => Promise<Response>;

/** All emulated APIs. */
export function createApp(context: Context): Answer {
  const router = new Router(ROUTES);
  return (request) => respond(context, router, request);
}
