import { ExchangeError, federate, providerFor } from "./exchange.ts";
import { requireService } from "../../support/http/router.ts";
import { findProject } from "../../support/projects.ts";
import { ACCESS_TOKEN_SECONDS, mintAccessToken } from "../../../lib/tokens.ts";
import type { Context } from "../../support/context.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TYPES = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/** Exchanges a token as specified by RFC 8693. */
export async function exchange(context: Context, form: URLSearchParams): Promise<object> {
  const required = (name: string): string => {
    const value = form.get(name);
    if (value === null || value === "")
      throw new ExchangeError("invalid_request", `Missing required parameter: ${name}.`);
    return value;
  };
  if (required("grant_type") !== GRANT)
    throw new ExchangeError("unsupported_grant_type", `The grant type must be ${GRANT}.`);
  if ((form.get("requested_token_type") ?? ACCESS_TOKEN) !== ACCESS_TOKEN)
    throw new ExchangeError("invalid_request", `The requested token type must be ${ACCESS_TOKEN}.`);
  if (!SUBJECT_TYPES.includes(required("subject_token_type")))
    throw new ExchangeError(
      "invalid_request",
      `The subject token type must be one of ${SUBJECT_TYPES.join(", ")}.`,
    );
  required("scope");
  const provider = providerFor(context, required("audience"));
  const project = findProject(context, provider.name.split("/")[1] ?? "");
  if (project) requireService(project, "sts.googleapis.com");
  const federation = await federate(context, provider, required("subject_token"));
  const principal = `principal://iam.googleapis.com/${federation.pool}/subject/${federation.subject}`;
  return {
    access_token: await mintAccessToken(context.sandboxDir, principal, ACCESS_TOKEN_SECONDS, federation),
    issued_token_type: ACCESS_TOKEN,
    token_type: "Bearer",
    expires_in: ACCESS_TOKEN_SECONDS,
  };
}
