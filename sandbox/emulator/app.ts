import { readdirSync } from "node:fs";
import { messageOf } from "../../problems/wording.ts";
import type { Context } from "./support/context.ts";
import { withFaults } from "./support/faults/inject.ts";
import { AnswerError, ApiError, invalidArgument } from "./support/http/errors.ts";
import { type OpenRoute, type Params, type Route, templatePattern } from "./support/http/route.ts";
import { serve } from "./support/http/router.ts";

/** A module `apis/FOLDER/routes.ts`. Each folder is loaded as an emulated API. */
interface Api {
  routes: (Route | OpenRoute)[];
}

const apis = await Promise.all(
  readdirSync(new URL("apis/", import.meta.url)).map(
    (folder) => import(new URL(`apis/${folder}/routes.ts`, import.meta.url).href) as Promise<Api>,
  ),
);

const ROUTES = apis
  .flatMap(({ routes }) => routes)
  .map((route) => ({ route, pattern: templatePattern(route.path) }));

/** @throws ApiError 501 for an unknown route, 400 for a malformed path. */
function findRoute(method: string, pathname: string): { route: Route | OpenRoute; params: Params } {
  const path = pathname.replace(/\/{2,}/g, "/");
  for (const { route, pattern } of ROUTES) {
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
  const message = `The sandbox does not know ${method} ${pathname}.`;
  console.error(message);
  throw new ApiError(
    "UNIMPLEMENTED",
    `${message} It implements the requests of the registry's stack and gcloud; see sandbox/README.md.`,
  );
}

async function respond(context: Context, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  let template = pathname;
  const respondOrFail = async (answer: () => Promise<Response>): Promise<Response> => {
    try {
      return await answer();
    } catch (error) {
      return errorAnswer(context, request, error);
    }
  };
  const response = await respondOrFail(async () => {
    const { route, params } = findRoute(request.method, pathname);
    template = route.path;
    const answer = () =>
      respondOrFail(async () =>
        "open" in route
          ? route.open(request, context, params)
          : Response.json(await serve(context, route, params, request)),
      );
    return isOwn(template) ? answer() : withFaults(context, request, template, answer);
  });
  if (!isOwn(template)) context.requests.count(request.method, template, response.status);
  return response;
}

/** The sandbox's own routes are not counted and have no faults. */
function isOwn(template: string): boolean {
  return template.startsWith("sandbox/");
}

function errorAnswer(context: Context, request: Request, error: unknown): Response {
  const expected = error instanceof AnswerError;
  const known = expected
    ? error
    : new ApiError("INTERNAL", "Internal error of the sandbox; see logs/emulator.log.");
  const logged = !expected && error instanceof Error ? error.stack : messageOf(error);
  context.log(`${known.httpStatus} ${request.method} ${new URL(request.url).pathname}: ${logged ?? ""}`);
  return known.toResponse();
}

/** Serves all emulated APIs. */
export function createApp(context: Context): (request: Request) => Promise<Response> {
  return (request) => respond(context, request);
}
