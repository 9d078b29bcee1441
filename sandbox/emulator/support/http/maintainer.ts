import { MAINTAINER } from "../../../lib/tokens.ts";
import type { Context } from "../context.ts";
import { ApiError } from "./errors.ts";
import { authenticate } from "./router.ts";

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
