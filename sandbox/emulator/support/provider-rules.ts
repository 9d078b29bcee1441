import { GITHUB_ISSUER } from "../../../components/ci/github-claims.ts";
import { ApiError, invalidArgument } from "./http/errors.ts";
import type { Context } from "./context.ts";
import { checkIssuer } from "./policies/constraints.ts";
import { findProject } from "./projects.ts";
import type { Provider } from "./resources.ts";
import { CelError, checkCel } from "./cel.ts";

/** Issuers that all their users share; a provider for one needs a condition. */
const SHARED_ISSUERS = [GITHUB_ISSUER, "https://gitlab.com", "https://app.terraform.io"];

function checkExpression(expression: string, kind: "mapping" | "condition", field: string): void {
  try {
    checkCel(expression, kind);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    throw invalidArgument(
      `Error compiling the ${kind === "mapping" ? "attribute mapping" : "attribute condition"} expression "${expression}": ${error.message}`,
      field,
    );
  }
}

/**
 * Checks expressions, the subject and the limits of
 * https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
 *
 * @throws ApiError 400
 */
export function checkProvider(context: Context, provider: Provider): void {
  const issuer = provider.oidc?.issuerUri ?? "";
  if (!provider.oidc)
    throw invalidArgument(
      "The provider must have one of aws, oidc, saml and x509; the sandbox supports oidc.",
      "oidc",
    );
  if (!URL.canParse(issuer) || new URL(issuer).protocol !== "https:")
    throw invalidArgument(`Invalid issuer URI "${issuer}": it must be an https URL.`, "oidc.issuer_uri");
  const number = provider.name.split("/")[1] ?? "";
  checkIssuer(context, `projects/${findProject(context, number)?.projectId ?? number}`, issuer);
  const mapping = provider.attributeMapping ?? {};
  if (!("google.subject" in mapping))
    throw invalidArgument("The attribute mapping must map google.subject.", "attribute_mapping");
  const entries = Object.entries(mapping);
  if (entries.length > 51)
    throw invalidArgument("At most 50 custom attributes are allowed.", "attribute_mapping");
  for (const [name, expression] of entries) {
    if (name === "google.groups")
      throw new ApiError("UNIMPLEMENTED", "The sandbox does not support google.groups.");
    if (name !== "google.subject" && !/^attribute\.[a-z0-9_]{1,100}$/.test(name))
      throw invalidArgument(
        `Invalid attribute name "${name}" in the attribute mapping.`,
        "attribute_mapping",
      );
    if (expression.length > 2048)
      throw invalidArgument(`The mapping of ${name} must have at most 2048 characters.`, "attribute_mapping");
    checkExpression(expression, "mapping", "attribute_mapping");
  }
  const condition = provider.attributeCondition ?? "";
  if (condition.length > 4096)
    throw invalidArgument(
      "The attribute condition must have at most 4096 characters.",
      "attribute_condition",
    );
  if (condition !== "") checkExpression(condition, "condition", "attribute_condition");
  if (SHARED_ISSUERS.includes(issuer) && !/\bassertion\s*[.[]/.test(condition))
    throw invalidArgument(
      "The attribute condition must reference one of the provider's claims.",
      "attribute_condition",
    );
}
