import { Hono } from "hono";
import { admin } from "./apis/admin";
import { contents } from "./apis/artifact-registry/contents";
import { github } from "./apis/github";
import { iamCredentials } from "./apis/iam-credentials";
import { locations } from "./apis/artifact-registry/locations";
import { repositories } from "./apis/artifact-registry/repositories";
import { operations } from "./apis/operations";
import { orgPolicy } from "./apis/org-policy";
import { resourceManager } from "./apis/resource-manager";
import { roles } from "./apis/roles";
import { serviceAccounts } from "./apis/service-accounts";
import { serviceUsage } from "./apis/service-usage";
import { sts } from "./apis/sts";
import { workloadIdentity } from "./apis/workload-identity";
import { withFaults } from "./faults/inject";
import { ApiError } from "./http/errors";
import type { OpenRoute, Route } from "./http/route";
import { Router, serve } from "./http/router";
import { tokenServer } from "./registry/token-server";
import type { World } from "./world";

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
  world: World,
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
        ? route.open(request, world, params)
        : Response.json(await serve(world, { route, params }, request)),
  };
}

/** The sandbox's own routes are neither counted nor disturbed. */
function isOwn(template: string): boolean {
  return template === "healthz" || template.startsWith("sandbox/");
}

async function respond(world: World, router: Router, request: Request): Promise<Response> {
  let template = new URL(request.url).pathname;
  let response: Response;
  try {
    const target = dispatch(world, router, request);
    template = target.template;
    const answer = (): Promise<Response> =>
      target.answer().catch((error: unknown) => errorAnswer(world, request, error));
    response = isOwn(template) ? await answer() : await withFaults(world, request, template, answer);
  } catch (error) {
    response = errorAnswer(world, request, error);
  }
  if (!isOwn(template)) world.requests.count(request.method, template, response.status);
  return response;
}

function errorAnswer(world: World, request: Request, error: unknown): Response {
  const known =
    error instanceof ApiError
      ? error
      : new ApiError("INTERNAL", "Internal error of the sandbox; see logs/cloud.log.");
  const what =
    error instanceof ApiError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  world.log(`${known.httpStatus} ${request.method} ${new URL(request.url).pathname}: ${what}`);
  return Response.json(known.toJSON(), { status: known.httpStatus });
}

/** All emulated APIs as one web application. */
export function createApp(world: World): Hono {
  const router = new Router(ROUTES);
  const app = new Hono();
  app.all("*", (context) => respond(world, router, context.req.raw));
  return app;
}
