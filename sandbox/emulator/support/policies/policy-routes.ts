import { z } from "zod";
import type { Context } from "../context.ts";
import type { Methods, Params, Route } from "../http/route.ts";
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
