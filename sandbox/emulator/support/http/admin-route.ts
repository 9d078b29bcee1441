import type { Context } from "../context.ts";
import { authenticateMaintainer } from "./maintainer.ts";
import type { OpenRoute, Params } from "./route.ts";

/** A route of the sandbox's own, which no Google API has, for its maintainer alone. */
export function adminRoute(
  method: OpenRoute["method"],
  path: string,
  handle: (context: Context, body: string, params: Params) => object | Promise<object>,
): OpenRoute {
  return {
    method,
    path: `sandbox/${path}`,
    open: async (request, context, params) => {
      await authenticateMaintainer(context, request);
      return Response.json(await handle(context, await request.text(), params));
    },
  };
}
