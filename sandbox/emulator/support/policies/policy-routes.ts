import { z } from "zod";
import type { Context } from "../context.ts";
import { ANY_CALLER, type Methods, type Params, type Route } from "../http/route.ts";
import { holdsPermission } from "./access.ts";
import { getPolicy, setPolicy, setPolicyBody } from "./policies.ts";

/** The resource's name. @throws ApiError 404 */
type NameOf = (context: Context, params: Params) => string;

const getPolicyBody = z.strictObject({
  options: z.strictObject({ requestedPolicyVersion: z.number("TYPE_INT32").optional() }).optional(),
});

/**
 * `:getIamPolicy` and `:setIamPolicy` of a kind of resource.
 *
 * @param kind prefix of the permissions: `artifactregistry.repositories`.
 * @param read HTTP method of `:getIamPolicy`, which depends on the API.
 */
export function policyRoutes(
  api: Methods,
  path: string,
  kind: string,
  nameOf: NameOf,
  read: "GET" | "POST",
): Route[] {
  const [getPath, getPermission] = [`${path}:getIamPolicy`, `${kind}.getIamPolicy`];
  const get: Route["handle"] = ({ context, params }) => getPolicy(context, nameOf(context, params));
  return [
    read === "GET"
      ? api.get(getPath, getPermission, get)
      : api.post(getPath, getPermission, getPolicyBody, get),
    api.post(`${path}:setIamPolicy`, `${kind}.setIamPolicy`, setPolicyBody, ({ context, params, body }) =>
      setPolicy(context, nameOf(context, params), body),
    ),
  ];
}

const testPermissionsBody = z.strictObject({ permissions: z.array(z.string("TYPE_STRING")).default([]) });

/** `:testIamPermissions` of a kind of resource. */
export function testPermissionsRoute(api: Methods, path: string, nameOf: NameOf): Route {
  return api.post(
    `${path}:testIamPermissions`,
    ANY_CALLER,
    testPermissionsBody,
    ({ context, params, body, caller }) => {
      const name = nameOf(context, params);
      const permissions = body.permissions.filter((each) => holdsPermission(context, caller, each, name));
      return permissions.length > 0 ? { permissions } : {};
    },
  );
}
