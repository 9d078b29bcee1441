import { verifyAccessToken, InvalidTokenError } from "../../../lib/tokens.ts";
import type { OpenRoute } from "../../support/http/route.ts";

/** The principal of an access token (https://docs.cloud.google.com/docs/authentication/token-types#access-contents). */
export const routes: OpenRoute[] = [
  {
    method: "GET",
    path: "tokeninfo",
    open: async (request, context) => {
      const token = new URL(request.url).searchParams.get("access_token") ?? "";
      try {
        const { principal } = await verifyAccessToken(context.sandboxDir, token, context.now());
        // A federated identity has no email address.
        const email = /^(?:user|serviceAccount):(.+)$/.exec(principal)?.[1];
        const scope = "https://www.googleapis.com/auth/cloud-platform openid";
        return Response.json({ scope, ...(email !== undefined && { email, email_verified: "true" }) });
      } catch (error) {
        if (!(error instanceof InvalidTokenError)) throw error;
        const body = { error: "invalid_token", error_description: "Invalid Value" };
        return Response.json(body, { status: 400 });
      }
    },
  },
];
