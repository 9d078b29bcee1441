import type { Policy, Spreading } from "../resources.ts";
import { ORGANIZATION } from "../store.ts";
import type { Caller } from "../../../lib/tokens.ts";
import type { Context } from "../context.ts";
import { isMember } from "./principals.ts";
import { ROLES } from "./roles.ts";

/** The value in effect at `now`: the earlier one while a change propagates. */
export function inForce<T>(spreading: Spreading<T>, now: Date): T {
  const { before, current } = spreading;
  return before && now.getTime() < before.until ? before.value : current;
}

function own<T>(record: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Permissions of a predefined or custom role; undefined if it does not exist. */
export function rolePermissions(context: Context, role: string): readonly string[] | undefined {
  return Object.hasOwn(ROLES, role) ? ROLES[role] : own(context.store.state.roles, role)?.includedPermissions;
}

/** The policies of a resource and of its parents, up to the organization. */
function policiesFor(context: Context, resource: string): Policy[] {
  const segments = resource.split("/");
  const names = segments.map((_, index) => segments.slice(0, index + 1).join("/"));
  const now = context.now();
  return [ORGANIZATION, ...names]
    .map((name) => context.store.state.policies[name])
    .filter((policy) => policy !== undefined)
    .map((policy) => inForce(policy, now));
}

/** Members of bucket policies that stand for the members of a basic role on the project. */
const CONVENIENCE_VALUES: Readonly<Record<string, string>> = {
  projectOwner: "roles/owner",
  projectEditor: "roles/editor",
  projectViewer: "roles/viewer",
};

/** Resolves a convenience value to members (https://docs.cloud.google.com/storage/docs/access-control/iam#convenience-values). */
function resolve(context: Context, member: string): string[] {
  const [kind = "", project = ""] = member.split(":");
  const role = CONVENIENCE_VALUES[kind];
  if (role === undefined) return [member];
  const policy = context.store.state.policies[`projects/${project}`];
  const bindings = policy === undefined ? [] : (inForce(policy, context.now()).bindings ?? []);
  return bindings.filter((binding) => binding.role === role).flatMap(({ members }) => members);
}

/** Checks a permission that a request needs, like `holdsPermission`. Records that the caller needed it. */
export function isAllowed(context: Context, caller: Caller, permission: string, resource: string): boolean {
  context.requests.need(caller.principal, permission);
  return holdsPermission(context, caller, permission, resource);
}

/** Whether the caller has a permission on a resource (`projects/ID/...`). */
export function holdsPermission(
  context: Context,
  caller: Caller,
  permission: string,
  resource: string,
): boolean {
  const members = context.members();
  return policiesFor(context, resource).some((policy) =>
    (policy.bindings ?? []).some(
      (binding) =>
        rolePermissions(context, binding.role)?.includes(permission) === true &&
        binding.members
          .flatMap((member) => resolve(context, member))
          .some((member) => isMember(caller, member, members)),
    ),
  );
}
