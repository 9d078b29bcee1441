import { ApiError, detail } from "../http/errors.ts";
import type { Binding, OrgPolicy, OrgPolicyRule } from "../resources.ts";
import { ORGANIZATION } from "../store.ts";
import type { Context } from "../context.ts";
import { inForce } from "./access.ts";
import { evaluateOnResource } from "../cel.ts";
import { type Members, OWN_CUSTOMER } from "./members.ts";

/** Restricts members of IAM policies to customers. */
export const DOMAIN_CONSTRAINT = "iam.allowedPolicyMemberDomains";

/** Its successor in newer organizations. */
export const MANAGED_CONSTRAINT = "iam.managed.allowedPolicyMembers";

/** Restricts the issuers of workload identity pools. */
const ISSUER_CONSTRAINT = "iam.workloadIdentityPoolProviders";

/** Disables the creation of service accounts. */
const ACCOUNT_CONSTRAINT = "iam.disableServiceAccountCreation";

/** The constraints that Google defines, with their default rules. */
const DEFAULT_RULES: Record<string, OrgPolicyRule[]> = {
  [DOMAIN_CONSTRAINT]: [{ allowAll: true }],
  [MANAGED_CONSTRAINT]: [{ enforce: false }],
  [ISSUER_CONSTRAINT]: [{ allowAll: true }],
  [ACCOUNT_CONSTRAINT]: [{ enforce: false }],
};

export const CONSTRAINTS = Object.keys(DEFAULT_RULES);

/** Whether a constraint is boolean rather than a list of values. */
export function isBoolean(constraint: string): boolean {
  return isCustom(constraint) || DEFAULT_RULES[constraint]?.[0]?.enforce !== undefined;
}

/** Whether a constraint is a custom one (https://docs.cloud.google.com/organization-policy/create-custom-constraints). */
export function isCustom(constraint: string): boolean {
  return constraint.startsWith("custom.");
}

type Lookup = (parent: string) => OrgPolicy["spec"] | undefined;

/** The rules of a parent: its own, else the organization's, else Google's default, which restricts nothing. */
function resolve(constraint: string, parent: string, lookup: Lookup): OrgPolicyRule[] {
  const fallback = DEFAULT_RULES[constraint] ?? [];
  const spec = lookup(parent);
  const above = () => (parent === ORGANIZATION ? fallback : resolve(constraint, ORGANIZATION, lookup));
  if (!spec) return above();
  if (spec.reset === true) return fallback;
  const rules = spec.rules ?? [];
  return spec.inheritFromParent === true ? [...above(), ...rules] : rules;
}

/** The effective rules of a constraint, including changes that still propagate. */
export function effectiveRules(context: Context, constraint: string, parent: string): OrgPolicyRule[] {
  const { orgPolicies } = context.store.state;
  return resolve(constraint, parent, (at) => orgPolicies[`${at}/policies/${constraint}`]?.current?.spec);
}

/** The rules that are enforced now. */
function enforcedRules(context: Context, constraint: string, parent: string): OrgPolicyRule[] {
  const { orgPolicies } = context.store.state;
  return resolve(constraint, parent, (at) => {
    const stored = orgPolicies[`${at}/policies/${constraint}`];
    return stored && inForce(stored, context.now())?.spec;
  });
}

/** The customer that a member belongs to; undefined for the public and for unknown domains. */
function customerOf(member: string, members: Members): string | undefined {
  // Accounts and identity pools belong to the organization of their project.
  if (/^serviceAccount:.+\.gserviceaccount\.com$/.test(member) || member.startsWith("principal"))
    return OWN_CUSTOMER;
  const domain = /^(?:user|group):.+@(.+)$|^domain:(.+)$/.exec(member);
  return members.customers[domain?.[1] ?? domain?.[2] ?? ""];
}

function passesDomains(rules: OrgPolicyRule[], customer: string | undefined): boolean {
  const named = (list: string[] | undefined): boolean =>
    customer !== undefined && (list ?? []).some((value) => value === customer || value === `is:${customer}`);
  if (rules.some((rule) => rule.denyAll === true)) return false;
  if (rules.some((rule) => named(rule.values?.deniedValues))) return false;
  if (rules.some((rule) => rule.allowAll === true)) return true;
  return rules.some((rule) => named(rule.values?.allowedValues));
}

function passesManaged(rules: OrgPolicyRule[], member: string, customer: string | undefined): boolean {
  const enforced = rules.filter((rule) => rule.enforce === true);
  if (enforced.length === 0) return true;
  return enforced.some(
    ({ parameters }) =>
      parameters?.allowedMemberSubjects?.includes(member) === true ||
      (customer === OWN_CUSTOMER &&
        parameters?.allowedPrincipalSets?.includes(
          `//cloudresourcemanager.googleapis.com/${ORGANIZATION}`,
        ) === true),
  );
}

/**
 * Refuses new members that the organization policy does not permit. As at Google, the constraint does not apply to members
 * that are already in the policy.
 *
 * @throws ApiError 400
 */
export function checkDomainRestriction(
  context: Context,
  resource: string,
  before: Binding[],
  after: Binding[],
): void {
  const parent = resource.split("/").slice(0, 2).join("/");
  const had = new Set(before.flatMap(({ role, members }) => members.map((member) => `${role} ${member}`)));
  const added = after.flatMap(({ role, members }) =>
    members.filter((member) => !had.has(`${role} ${member}`)),
  );
  const domains = enforcedRules(context, DOMAIN_CONSTRAINT, parent);
  const managed = enforcedRules(context, MANAGED_CONSTRAINT, parent);
  const known = context.members();
  checkCustomConstraints(context, parent, { bindings: after });
  for (const member of added) {
    const customer = customerOf(member, known);
    const permitted = passesDomains(domains, customer);
    if (permitted && passesManaged(managed, member, customer)) continue;
    throw new ApiError(
      "FAILED_PRECONDITION",
      "One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.",
      permitted ? [] : [domainViolation(parent, member)],
    );
  }
}

function domainViolation(parent: string, member: string): object {
  const name = member.replace(/^[a-zA-Z]+:/, "");
  const subject = `${parent}?configvalue=${encodeURIComponent(name)}`;
  return violation(DOMAIN_CONSTRAINT, subject, `User ${name} is not in permitted organization.`);
}

function violation(constraint: string, subject: string, description: string): object {
  return detail("PreconditionFailure", {
    violations: [{ type: `constraints/${constraint}`, subject: `orgpolicy:${subject}`, description }],
  });
}

/** Refuses an issuer that the organization does not permit (GoogleCloudPlatform/cloud-foundation-fabric#3084). */
export function checkIssuer(context: Context, parent: string, issuer: string): void {
  const rules = enforcedRules(context, ISSUER_CONSTRAINT, parent);
  if (passesDomains(rules, issuer)) return;
  throw new ApiError("FAILED_PRECONDITION", "Precondition check failed.", [
    violation(ISSUER_CONSTRAINT, parent, `Org Policy violated for value: '${issuer}'.`),
  ]);
}

/** Refuses to create service accounts if the organization disables that. */
export function checkAccountCreation(context: Context, parent: string): void {
  if (enforcedRules(context, ACCOUNT_CONSTRAINT, parent).every(({ enforce }) => enforce !== true)) return;
  const message = "Service account creation is not allowed on this project.";
  throw new ApiError("FAILED_PRECONDITION", message, [violation(ACCOUNT_CONSTRAINT, parent, message)]);
}

/** Refuses a policy that matches the condition of a custom constraint. */
function checkCustomConstraints(context: Context, parent: string, resource: { bindings: Binding[] }): void {
  const denied = Object.entries(context.store.state.customConstraints)
    .filter(([name]) => enforcedRules(context, name, parent).some(({ enforce }) => enforce === true))
    .filter(([, { condition }]) => evaluateOnResource(condition, resource))
    .map(([name, { description }]) => `"customConstraints/${name}": ${JSON.stringify(description)}`);
  if (denied.length > 0)
    throw new ApiError("FAILED_PRECONDITION", `Operation denied by org policy: [${denied.join(", ")}].`);
}
