import { readdirSync } from "node:fs";
import type { Context } from "./support/context.ts";
import { withFaults } from "./support/faults/inject.ts";
import { ApiError } from "./support/http/errors.ts";
import type { OpenRoute, Route } from "./support/http/route.ts";
import { Router, serve } from "./support/http/router.ts";

const health: OpenRoute = { method: "GET", path: "healthz", open: () => Response.json({ status: "ok" }) };

/** What the `routes.ts` of a folder of `apis/` exports: a folder there is an emulated API, with nothing else to do. */
interface Api {
  routes: (Route | OpenRoute)[];
}

const apis = await Promise.all(
  readdirSync(new URL("apis/", import.meta.url)).map(
    (folder) => import(new URL(`apis/${folder}/routes.ts`, import.meta.url).href) as Promise<Api>,
  ),
);

const ROUTES = [health, ...apis.flatMap(({ routes }) => routes)];

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
