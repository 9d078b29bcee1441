import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { GITHUB_ISSUER } from "../../../../components/ci/github-claims.ts";
import { AnswerError } from "../../support/http/errors.ts";
import { requireService } from "../../support/http/router.ts";
import { findProject } from "../../support/projects.ts";
import { githubKeys } from "../../support/github-issuer.ts";
import type { Provider } from "../../support/resources.ts";
import { ACCESS_TOKEN_SECONDS, type Federation, mintAccessToken } from "../../../lib/tokens.ts";
import type { Context } from "../../support/context.ts";
import { CelError, evaluateCel } from "../../support/cel.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TYPES = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/** Longest `google.subject` in bytes. */
const MAX_SUBJECT = 127;

/** Limit of all mapped attributes in bytes. */
const MAX_ATTRIBUTES = 8192;

type Code =
  "invalid_request" | "invalid_grant" | "invalid_target" | "unauthorized_client" | "unsupported_grant_type";

/** An error as specified by RFC 6749. */
class ExchangeError extends AnswerError {
  readonly httpStatus = 400;
  readonly code: Code;

  constructor(code: Code, message: string) {
    super(message);
    this.code = code;
  }

  toJSON(): object {
    return { error: this.code, error_description: this.message };
  }
}

function invalidGrant(message: string): ExchangeError {
  return new ExchangeError("invalid_grant", message);
}

/** The provider of an audience `//iam.googleapis.com/projects/...`. @throws ExchangeError if it is not usable. */
function providerFor(context: Context, audience: string): Provider {
  const name =
    /^\/\/iam\.googleapis\.com\/(projects\/\d+\/locations\/global\/workloadIdentityPools\/[^/]+\/providers\/[^/]+)$/.exec(
      audience,
    )?.[1];
  if (name === undefined) throw new ExchangeError("invalid_request", 'Invalid value for "audience".');
  const { pools, providers } = context.store.state;
  const provider = providers[name];
  const pool = pools[name.split("/providers/")[0] ?? ""];
  const usable = [pool, provider].every((each) => each?.state === "ACTIVE" && each.disabled !== true);
  if (!provider || !usable)
    throw new ExchangeError(
      "invalid_target",
      'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
    );
  return provider;
}

async function keysOf(context: Context, provider: Provider): Promise<JSONWebKeySet> {
  if (provider.oidc?.jwksJson !== undefined) return JSON.parse(provider.oidc.jwksJson) as JSONWebKeySet;
  if (provider.oidc?.issuerUri === GITHUB_ISSUER) return githubKeys(context.sandboxDir);
  throw invalidGrant("Error connecting to the given credential's issuer.");
}

/** Checks signature, issuer, audience and expiry. */
async function verify(context: Context, provider: Provider, token: string): Promise<JWTPayload> {
  const issuer = provider.oidc?.issuerUri ?? "";
  const own = [`https://iam.googleapis.com/${provider.name}`, `//iam.googleapis.com/${provider.name}`];
  const allowed = provider.oidc?.allowedAudiences ?? [];
  let claims: JWTPayload;
  try {
    claims = decodeJwt(token);
  } catch {
    throw invalidGrant("The given credential is not a JSON Web Token.");
  }
  if (claims.iss !== issuer)
    throw invalidGrant(
      `The issuer in ID Token ${claims.iss ?? ""} does not match the expected ones: ${issuer}`,
    );
  const keys = createLocalJWKSet(await keysOf(context, provider));
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: allowed.length > 0 ? allowed : own,
      currentDate: context.now(),
      requiredClaims: ["exp", "iat"],
      algorithms: ["RS256", "ES256"],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw invalidGrant(`ID Token issued at ${claims.iat ?? 0} is stale to sign-in.`);
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === "aud")
      throw invalidGrant(
        `The audience in ID Token [${[claims.aud].flat().join(", ")}] does not match the expected audience.`,
      );
    if (error instanceof errors.JOSEError)
      throw invalidGrant(`The given credential could not be verified: ${error.message}.`);
    throw error;
  }
}

function evaluate(expression: string, what: string, input: Parameters<typeof evaluateCel>[1]): unknown {
  try {
    return evaluateCel(expression, input);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    throw invalidGrant(`Unable to evaluate the ${what} on the given credential: ${error.message}`);
  }
}

/** Evaluates the provider's attribute mapping. */
function map(
  provider: Provider,
  assertion: JWTPayload,
): { subject: string; attributes: Record<string, string> } {
  const attributes: Record<string, string> = {};
  let subject = "";
  for (const [name, expression] of Object.entries(provider.attributeMapping ?? {})) {
    const value = evaluate(expression, `attribute mapping of ${name}`, { assertion });
    if (typeof value !== "string") throw invalidGrant(`The mapped attribute ${name} must be of type STRING.`);
    if (name === "google.subject") subject = value;
    else attributes[name.replace(/^attribute\./, "")] = value;
  }
  if (subject === "") throw invalidGrant("The mapped attribute google.subject must not be empty.");
  if (Buffer.byteLength(subject) > MAX_SUBJECT)
    throw invalidGrant(
      `The size of mapped attribute google.subject exceeds the ${MAX_SUBJECT} bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than ${MAX_SUBJECT} bytes.`,
    );
  if (Buffer.byteLength(JSON.stringify(attributes)) > MAX_ATTRIBUTES)
    throw invalidGrant(`The mapped attributes exceed the limit of ${MAX_ATTRIBUTES} bytes.`);
  return { subject, attributes };
}

/** The federated identity of a token, by the provider's mapping and condition. @throws ExchangeError */
async function federate(context: Context, provider: Provider, token: string): Promise<Federation> {
  const assertion = await verify(context, provider, token);
  const { subject, attributes } = map(provider, assertion);
  const condition = provider.attributeCondition ?? "";
  const google = { subject };
  if (
    condition !== "" &&
    evaluate(condition, "attribute condition", { assertion, google, attribute: attributes }) !== true
  )
    throw new ExchangeError(
      "unauthorized_client",
      "The given credential is rejected by the attribute condition.",
    );
  return { pool: provider.name.split("/providers/")[0] ?? "", subject, attributes };
}

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
