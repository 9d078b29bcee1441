import { z } from "zod";
import { faultSchema } from "../faults/fault";
import { parseBody } from "../http/body";
import { ApiError } from "../http/errors";
import { authenticate } from "../http/router";
import type { OpenRoute, Params } from "../http/route";
import { DOMAIN_CONSTRAINT, MANAGED_CONSTRAINT } from "../iam/domain-restriction";
import { OWN_CUSTOMER } from "../iam/members";
import type { OrgPolicyRule } from "../resources";
import { MAINTAINER, ORGANIZATION } from "../store";
import type { World } from "../world";
import { putOrgPolicy } from "./org-policy";

/** Throws unless the maintainer asks. */
export async function authenticateMaintainer(world: World, request: Request): Promise<void> {
  // By the true time: else nobody could set a wrong clock right.
  const { principal } = await authenticate(world, request, new Date());
  if (principal !== MAINTAINER)
    throw new ApiError(
      "PERMISSION_DENIED",
      `The sandbox's switches are for ${MAINTAINER}, not ${principal}.`,
    );
}

/** A route of the sandbox's own, for its maintainer alone. */
function adminRoute(
  method: OpenRoute["method"],
  path: string,
  handle: (world: World, body: string, params: Params) => object,
): OpenRoute {
  return {
    method,
    path: `sandbox/${path}`,
    open: async (request, world, params) => {
      await authenticateMaintainer(world, request);
      return Response.json(handle(world, await request.text(), params));
    },
  };
}

const orgPolicyBody = z.strictObject({
  /** `allow`: no restriction; `deny`: the organization's own customer only; `domains`: these customers. */
  mode: z.enum(["allow", "deny", "domains"]),
  customers: z.array(z.string().regex(/^C0[a-z0-9]+$/i)).default([]),
  constraint: z.enum([DOMAIN_CONSTRAINT, MANAGED_CONSTRAINT]).default(DOMAIN_CONSTRAINT),
  /** How long this and later changes of organization policies take to be in force, in seconds. */
  delaySeconds: z.number().min(0).default(0),
});

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
export const admin: OpenRoute[] = [
  adminRoute("PUT", "org-policy", (world, text) => {
    const body = parseBody(orgPolicyBody, text);
    world.store.change((state) => (state.orgPolicyDelaySeconds = body.delaySeconds));
    const name = `${ORGANIZATION}/policies/${body.constraint}`;
    return { policy: putOrgPolicy(world, name, body.mode === "allow" ? null : { rules: rules(body) }) };
  }),
  adminRoute("GET", "faults", (world) => ({ faults: world.faults.all() })),
  adminRoute("POST", "faults", (world, text) => {
    world.faults.add(parseBody(faultSchema, text, "kept"));
    return { faults: world.faults.all() };
  }),
  adminRoute("DELETE", "faults", (world) => {
    world.faults.clear();
    return { faults: [] };
  }),
  adminRoute("DELETE", "faults/{id}", (world, _, { id }) => {
    world.faults.clear(id);
    return { faults: world.faults.all() };
  }),
  adminRoute("GET", "requests", (world) => {
    const routes = world.requests.all();
    return { total: routes.reduce((sum, { count }) => sum + count, 0), routes };
  }),
  adminRoute("DELETE", "requests", (world) => {
    world.requests.clear();
    return { total: 0, routes: [] };
  }),
  adminRoute("GET", "org-policy", (world) => ({
    delaySeconds: world.store.state.orgPolicyDelaySeconds,
    policies: Object.values(world.store.state.orgPolicies)
      .map(({ current }) => current)
      .filter((policy) => policy !== null),
  })),
];
