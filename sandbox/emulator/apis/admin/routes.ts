import { z } from "zod";
import { faultSchema } from "../../support/faults/fault.ts";
import { adminRoute } from "../../support/http/admin-route.ts";
import { ApiError } from "../../support/http/errors.ts";
import { parseBody } from "../../support/http/body.ts";
import type { OpenRoute } from "../../support/http/route.ts";
import {
  CONSTRAINTS,
  DOMAIN_CONSTRAINT,
  isBoolean,
  isCustom,
  MANAGED_CONSTRAINT,
} from "../../support/policies/constraints.ts";
import { OWN_CUSTOMER } from "../../support/policies/members.ts";
import type { OrgPolicyRule } from "../../support/resources.ts";
import { MAINTAINER } from "../../../lib/tokens.ts";
import { addProject, ORGANIZATION } from "../../support/store.ts";
import { putOrgPolicy } from "../../support/policies/org-policies.ts";

const orgPolicyBody = z.strictObject({
  /** `allow`: no restriction; `deny`: only the organization's customer; `domains`: only these customers. */
  mode: z.enum(["allow", "deny", "domains"]),
  customers: z.array(z.string().regex(/^C0[a-z0-9]+$/i)).default([]),
  constraint: z
    .union([z.enum(CONSTRAINTS), z.string().regex(/^custom\.[A-Za-z0-9.]+$/)])
    .default(DOMAIN_CONSTRAINT),
  /** Of a custom constraint: the denied IAM policies, in CEL with the variable `resource`. */
  condition: z.string().default("false"),
  /** Seconds until this and later changes of organization policies take effect. */
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
  if (isBoolean(constraint)) return [{ enforce: true }];
  if (constraint !== DOMAIN_CONSTRAINT) return [{ denyAll: true }];
  return [{ values: { allowedValues: mode === "domains" ? customers : [OWN_CUSTOMER] } }];
}

const projectBody = z.strictObject({ projectId: z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/) });

/** Switches of the sandbox. */
export const routes: OpenRoute[] = [
  adminRoute("PUT", "org-policy", (context, text) => {
    const body = parseBody(orgPolicyBody, text);
    context.store.change((state) => {
      state.orgPolicyDelaySeconds = body.delaySeconds;
      if (isCustom(body.constraint))
        state.customConstraints[body.constraint] = {
          condition: body.condition,
          description: body.constraint,
        };
    });
    const name = `${ORGANIZATION}/policies/${body.constraint}`;
    return { policy: putOrgPolicy(context, name, body.mode === "allow" ? null : { rules: rules(body) }) };
  }),
  adminRoute("POST", "projects", (context, text) => {
    const { projectId } = parseBody(projectBody, text);
    if (projectId in context.store.state.projects)
      throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
    return context.store.change((state) => addProject(state, projectId, MAINTAINER));
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
  adminRoute("GET", "requests", (context) => {
    const routes = context.requests.all();
    return { total: routes.reduce((sum, { count }) => sum + count, 0), routes };
  }),
  adminRoute("GET", "requests/permissions/{principal*}", (context, _, { principal = "" }) => ({
    permissions: context.requests.permissionsOf(principal),
  })),
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
