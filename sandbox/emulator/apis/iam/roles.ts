import { z } from "zod";
import { optionalTexts, text } from "../../support/http/body.ts";
import { newEtag } from "../../support/policies/policies.ts";
import { PERMISSIONS } from "../../support/policies/roles.ts";
import { ApiError, invalidArgument, notFound } from "../../support/http/errors.ts";
import { applyMask, given, maskedFields } from "../../support/http/mask.ts";
import { methodsOf, type Params, type Route } from "../../support/http/route.ts";
import type { Role } from "../../support/resources.ts";
import type { Context } from "../../support/context.ts";

const api = methodsOf("iam.googleapis.com");
const ROLES_PATH = "v1/projects/{project}/roles";
const ROLE_PATH = `${ROLES_PATH}/{role}`;

const roleBody = z.strictObject({
  ...optionalTexts("name", "title", "description", "stage", "etag"),
  includedPermissions: z.array(text).optional(),
});

const createBody = z.strictObject({ roleId: text.default(""), role: roleBody.default({}) });

const FIELDS = ["title", "description", "includedPermissions", "stage"] as const;

const name = (params: Params): string => `projects/${params["project"] ?? ""}/roles/${params["role"] ?? ""}`;

function roleOf(context: Context, params: Params): Role {
  const role = context.store.state.roles[name(params)];
  if (!role) throw notFound(`The role named ${name(params)} was not found.`);
  return role;
}

function checkPermissions(permissions: string[] = []): void {
  const unknown = permissions.find((permission) => !PERMISSIONS.has(permission));
  if (unknown !== undefined)
    throw invalidArgument(`Permission ${unknown} is not valid.`, "role.included_permissions");
}

/** Custom roles of IAM v1. */
export const roles: Route[] = [
  api.post(ROLES_PATH, "iam.roles.create", createBody, ({ context, params, body }) => {
    if (!/^[a-zA-Z0-9_.]{3,64}$/.test(body.roleId))
      throw invalidArgument(`The role_id "${body.roleId}" must match [a-zA-Z0-9_.]{3,64}.`, "role_id");
    const key = name({ ...params, role: body.roleId });
    if (context.store.state.roles[key])
      throw new ApiError(
        "ALREADY_EXISTS",
        `A role named ${body.roleId} in ${key.split("/roles/")[0] ?? ""} already exists.`,
      );
    checkPermissions(body.role.includedPermissions);
    const role = { name: key, includedPermissions: [], ...given(body.role, FIELDS), etag: newEtag() };
    return context.store.change((state) => (state.roles[key] = role));
  }),
  api.get(ROLE_PATH, "iam.roles.get", ({ context, params }) => roleOf(context, params)),
  api.patch(ROLE_PATH, "iam.roles.update", roleBody, ({ context, params, query, body }) => {
    const role = roleOf(context, params);
    const fields = maskedFields(query.get("updateMask"), body, FIELDS);
    checkPermissions(body.includedPermissions);
    context.store.change(() => {
      applyMask<Role>(role, { includedPermissions: [], ...given(body, FIELDS) }, fields);
      role.etag = newEtag();
    });
    return role;
  }),
];
