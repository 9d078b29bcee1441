import { MAINTAINER } from "../../../lib/tokens.ts";
import type { Context } from "../context.ts";
import { ApiError } from "./errors.ts";
import { authenticate } from "./router.ts";
import type { OpenRoute, Params } from "./route.ts";

/** A route of the sandbox itself, for the maintainer only. */
export function adminRoute(
  method: OpenRoute["method"],
  path: string,
  handle: (context: Context, body: string, params: Params) => object | Promise<object>,
): OpenRoute {
  return {
    method,
    path: `sandbox/${path}`,
    open: async (request, context, params) => {
      // By the real time, so that a skewed clock can be corrected.
      const { principal } = await authenticate(context, request, new Date());
      if (principal !== MAINTAINER)
        throw new ApiError(
          "PERMISSION_DENIED",
          `Only ${MAINTAINER} can use the sandbox's switches, not ${principal}.`,
        );
      return Response.json(await handle(context, await request.text(), params));
    },
  };
}
