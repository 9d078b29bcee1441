import { z } from "zod";
import { duration, text } from "../../support/http/body.ts";
import { ApiError, invalidArgument, notFound } from "../../support/http/errors.ts";
import { methodsOf, type Route } from "../../support/http/route.ts";
import { ACCESS_TOKEN_SECONDS, mintAccessToken } from "../../../lib/tokens.ts";
import { accountResource, lookUpAccount } from "../../support/accounts.ts";

const onAccount = methodsOf("iamcredentials.googleapis.com", accountResource);

const tokenBody = z.strictObject({
  scope: z.array(text).default([]),
  lifetime: duration.optional(),
  delegates: z.array(text).optional(),
});

/** IAM Credentials v1: short-lived tokens of a service account (https://cloud.google.com/iam/docs/reference/credentials/rest). */
export const routes: Route[] = [
  onAccount.post(
    "v1/projects/{project}/serviceAccounts/{account}:generateAccessToken",
    "iam.serviceAccounts.getAccessToken",
    tokenBody,
    async ({ context, params, body }) => {
      const email = params["account"] ?? "";
      const account = lookUpAccount(context, params["project"] ?? "", email);
      if (!account) throw notFound(`Not found; Gaia id not found for email ${email}`);
      if (body.delegates !== undefined && body.delegates.length > 0)
        throw new ApiError("UNIMPLEMENTED", "The sandbox does not support delegates.");
      if (body.scope.length === 0) throw invalidArgument("Request must contain at least one scope.", "scope");
      const seconds = Number.parseInt(body.lifetime ?? `${ACCESS_TOKEN_SECONDS}s`, 10);
      if (seconds <= 0 || seconds > ACCESS_TOKEN_SECONDS)
        throw invalidArgument(
          `The lifetime must be more than 0s and at most ${ACCESS_TOKEN_SECONDS}s.`,
          "lifetime",
        );
      const accessToken = await mintAccessToken(
        context.sandboxDir,
        `serviceAccount:${account.email}`,
        seconds,
      );
      const expires = new Date(Math.floor(Date.now() / 1000 + seconds) * 1000);
      return { accessToken, expireTime: expires.toISOString().replace(".000Z", "Z") };
    },
  ),
];
