import { z } from "zod";
import { text } from "../../support/http/body.ts";
import { ApiError, invalidArgument, notFound } from "../../support/http/errors.ts";
import { maskedFields } from "../../support/http/mask.ts";
import { page } from "../../support/http/paging.ts";
import { methodsOf, type Params, type Route } from "../../support/http/route.ts";
import { CONSTRAINTS, effectiveRules, isBoolean } from "../../support/policies/constraints.ts";
import { putOrgPolicy } from "../../support/policies/org-policies.ts";
import { findProject } from "../../support/projects.ts";
import type { OrgPolicy } from "../../support/resources.ts";
import type { Context } from "../../support/context.ts";

const api = methodsOf("orgpolicy.googleapis.com");
const POLICIES_PATH = "v2/projects/{project}/policies";
const POLICY_PATH = `${POLICIES_PATH}/{constraint}`;

/** A boolean, also as a string. */
const bool = z.union(
  [z.boolean(), z.stringbool({ truthy: ["true"], falsy: ["false"], case: "insensitive" })],
  "TYPE_BOOL",
);

const policyBody = z.strictObject({
  name: text.optional(),
  etag: text.optional(),
  spec: z
    .strictObject({
      etag: text.optional(),
      updateTime: text.optional(),
      inheritFromParent: bool.optional(),
      reset: bool.optional(),
      rules: z
        .array(
          z.strictObject({
            values: z
              .strictObject({
                allowedValues: z.array(text).optional(),
                deniedValues: z.array(text).optional(),
              })
              .optional(),
            allowAll: bool.optional(),
            denyAll: bool.optional(),
            enforce: bool.optional(),
            parameters: z
              .strictObject({
                allowedMemberSubjects: z.array(text).optional(),
                allowedPrincipalSets: z.array(text).optional(),
              })
              .optional(),
          }),
        )
        .optional(),
    })
    .default({}),
});

const parent = (params: Params): string => `projects/${params["project"] ?? ""}`;
const key = (params: Params): string => `${parent(params)}/policies/${params["constraint"] ?? ""}`;

function checkConstraint(context: Context, constraint: string): void {
  if (!CONSTRAINTS.includes(constraint) && !(constraint in context.store.state.customConstraints))
    throw invalidArgument(
      `The constraint constraints/${constraint} does not exist in the sandbox: it has ${CONSTRAINTS.join(", ")}.`,
    );
}

function policyOf(context: Context, params: Params): OrgPolicy {
  checkConstraint(context, params["constraint"] ?? "");
  const policy = context.store.state.orgPolicies[key(params)]?.current;
  if (!policy) throw notFound();
  return policy;
}

function checkRules(constraint: string, rules: z.infer<typeof policyBody>["spec"]["rules"] = []): void {
  for (const rule of rules) {
    const kinds = [rule.values, rule.allowAll, rule.denyAll, rule.enforce].filter(
      (kind) => kind !== undefined,
    );
    if (kinds.length !== 1)
      throw invalidArgument(
        "A rule has exactly one of values, allow_all, deny_all and enforce.",
        "policy.spec.rules",
      );
    if ((rule.enforce !== undefined) !== isBoolean(constraint))
      throw invalidArgument(
        `This kind of rule does not fit the constraint ${constraint}.`,
        "policy.spec.rules",
      );
  }
}

/** Organization Policy v2, of projects (https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest). */
export const routes: Route[] = [
  api.get(POLICIES_PATH, "orgpolicy.policies.list", ({ context, params, query }) => {
    const policies = Object.entries(context.store.state.orgPolicies)
      .filter(([name]) => name.startsWith(`${parent(params)}/`))
      .map(([, stored]) => stored.current)
      .filter((policy) => policy !== null);
    return page("policies", policies, query);
  }),
  api.post(POLICIES_PATH, "orgpolicy.policies.create", policyBody, ({ context, params, body }) => {
    const named = /^projects\/[^/]+\/policies\/([^/]+)$/.exec(body.name ?? "")?.[1];
    if (named === undefined)
      throw invalidArgument("The policy's name must be projects/PROJECT/policies/CONSTRAINT.", "policy.name");
    checkConstraint(context, named);
    checkRules(named, body.spec.rules);
    const name = key({ ...params, constraint: named });
    if (context.store.state.orgPolicies[name]?.current)
      throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
    return putOrgPolicy(context, name, specOf(body)) ?? {};
  }),
  api.get(POLICY_PATH, "orgpolicy.policy.get", ({ context, params }) => policyOf(context, params)),
  api.get(`${POLICY_PATH}:getEffectivePolicy`, "orgpolicy.policy.get", ({ context, params }) => {
    const constraint = params["constraint"] ?? "";
    checkConstraint(context, constraint);
    const number = findProject(context, params["project"] ?? "")?.projectNumber ?? "";
    return {
      name: `projects/${number}/policies/${constraint}`,
      spec: { rules: effectiveRules(context, constraint, parent(params)) },
    };
  }),
  api.patch(POLICY_PATH, "orgpolicy.policies.update", policyBody, ({ context, params, query, body }) => {
    const policy = policyOf(context, params);
    // Clients send `policy.spec`. The emulated policies have no dry run.
    const mask = query.get("updateMask")?.replaceAll("policy.", "");
    const fields = maskedFields(mask, body, ["spec", "dryRunSpec"]);
    if (body.etag !== undefined && body.etag !== "" && body.etag !== policy.etag)
      throw new ApiError("ABORTED", "The etag does not match the policy's: it was changed meanwhile.");
    checkRules(params["constraint"] ?? "", body.spec.rules);
    if (!fields.includes("spec")) return policy;
    return putOrgPolicy(context, key(params), specOf(body)) ?? {};
  }),
  api.delete(POLICY_PATH, "orgpolicy.policies.delete", ({ context, params }) => {
    policyOf(context, params);
    putOrgPolicy(context, key(params), null);
    return {};
  }),
];

/** Omits false, which an absent field means. */
function specOf({ spec }: z.infer<typeof policyBody>): OrgPolicy["spec"] {
  return {
    ...(spec.rules && { rules: spec.rules }),
    ...(spec.inheritFromParent === true && { inheritFromParent: true }),
    ...(spec.reset === true && { reset: true }),
  };
}
