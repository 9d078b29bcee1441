import { MAINTAINER } from "../../../lib/tokens.ts";
import type { Context } from "../context.ts";
import { ApiError } from "./errors.ts";
import { authenticate } from "./router.ts";
import type { OpenRoute, Params } from "./route.ts";

/** Throws unless the maintainer asks. */
export async function authenticateMaintainer(context: Context, request: Request): Promise<void> {
  // By the true time: else nobody could set a wrong clock right.
  const { principal } = await authenticate(context, request, new Date());
  if (principal !== MAINTAINER)
    throw new ApiError(
      "PERMISSION_DENIED",
      `The sandbox's switches are for ${MAINTAINER}, not ${principal}.`,
    );
}

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
