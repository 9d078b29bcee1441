import { z } from "zod";
import { faultSchema } from "../../support/faults/fault.ts";
import { adminRoute } from "../../support/http/admin-route.ts";
import { parseBody } from "../../support/http/body.ts";
import type { OpenRoute } from "../../support/http/route.ts";
import { DOMAIN_CONSTRAINT, MANAGED_CONSTRAINT } from "../../support/policies/domain-restriction.ts";
import { OWN_CUSTOMER } from "../../support/policies/members.ts";
import type { OrgPolicyRule } from "../../support/resources.ts";
import { ORGANIZATION } from "../../support/store.ts";
import { putOrgPolicy } from "../../support/policies/org-policies.ts";

const orgPolicyBody = z.strictObject({
  /** `allow`: no restriction; `deny`: the organization's own customer only; `domains`: these customers. */
  mode: z.enum(["allow", "deny", "domains"]),
  customers: z.array(z.string().regex(/^C0[a-z0-9]+$/i)).default([]),
  constraint: z.enum([DOMAIN_CONSTRAINT, MANAGED_CONSTRAINT]).default(DOMAIN_CONSTRAINT),
  /** How long this and later changes of organization policies take to be in force, in seconds. */
  delaySeconds: z.number().min(0).default(0),
});

const childDeletionBody = z.strictObject({ childDeletion: z.enum(["refused", "allowed"]) });

function rules({ mode, customers, constraint }: z.infer<typeof orgPolicyBody>): OrgPolicyRule[] {
  if (constraint === MANAGED_CONSTRAINT)
    return [
      {
        enforce: true,
        parameters: { allowedPrincipalSets: [`//cloudresourcemanager.googleapis.com/${ORGANIZATION}`] },
      },
    ];
  return [{ values: { allowedValues: mode === "domains" ? customers : [OWN_CUSTOMER] } }];
}

/** Switches of the sandbox that no Google API has. */
export const routes: OpenRoute[] = [
  adminRoute("PUT", "org-policy", (context, text) => {
    const body = parseBody(orgPolicyBody, text);
    context.store.change((state) => (state.orgPolicyDelaySeconds = body.delaySeconds));
    const name = `${ORGANIZATION}/policies/${body.constraint}`;
    return { policy: putOrgPolicy(context, name, body.mode === "allow" ? null : { rules: rules(body) }) };
  }),
  adminRoute("PUT", "child-deletion", (context, text) => {
    const { childDeletion } = parseBody(childDeletionBody, text);
    context.store.change((state) => (state.childDeletion = childDeletion));
    return { childDeletion };
  }),
  adminRoute("GET", "faults", (context) => ({ faults: context.faults.all() })),
  adminRoute("POST", "faults", (context, text) => {
    context.faults.add(parseBody(faultSchema, text, "kept"));
    return { faults: context.faults.all() };
  }),
  adminRoute("DELETE", "faults", (context) => {
    context.faults.clear();
    return { faults: [] };
  }),
  adminRoute("DELETE", "faults/{id}", (context, _, { id }) => {
    context.faults.clear(id);
    return { faults: context.faults.all() };
  }),
  adminRoute("GET", "requests", (context) => {
    const routes = context.requests.all();
    return { total: routes.reduce((sum, { count }) => sum + count, 0), routes };
  }),
  adminRoute("DELETE", "requests", (context) => {
    context.requests.clear();
    return { total: 0, routes: [] };
  }),
  adminRoute("GET", "org-policy", (context) => ({
    delaySeconds: context.store.state.orgPolicyDelaySeconds,
    policies: Object.values(context.store.state.orgPolicies)
      .map(({ current }) => current)
      .filter((policy) => policy !== null),
  })),
];
