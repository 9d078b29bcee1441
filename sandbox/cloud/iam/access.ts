import type { Policy, Spreading } from "../resources";
import { ORGANIZATION } from "../store";
import type { Caller } from "../tokens";
import type { World } from "../world";
import { isMember } from "./principals";
import { ROLES } from "./roles";

/** The value in force at `now`: the earlier one while a change still spreads. */
export function inForce<T>(spreading: Spreading<T>, now: Date): T {
  const { before, current } = spreading;
  return before && now.getTime() < before.until ? before.value : current;
}

function own<T>(record: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Permissions of a role, the project's own roles included; undefined for a role that does not exist. */
export function rolePermissions(world: World, role: string): readonly string[] | undefined {
  return Object.hasOwn(ROLES, role) ? ROLES[role] : own(world.store.state.roles, role)?.includedPermissions;
}

/** The policies that count for a resource: its own and those of all that it is in, up to the organization. */
function policiesFor(world: World, resource: string): Policy[] {
  const segments = resource.split("/");
  const names = segments.map((_, index) => segments.slice(0, index + 1).join("/"));
  const now = world.now();
  return [ORGANIZATION, ...names]
    .map((name) => world.store.state.policies[name])
    .filter((policy) => policy !== undefined)
    .map((policy) => inForce(policy, now));
}

/** Whether the caller holds a permission on a resource (`projects/ID/...`). */
export function isAllowed(world: World, caller: Caller, permission: string, resource: string): boolean {
  const members = world.members();
  return policiesFor(world, resource).some((policy) =>
    (policy.bindings ?? []).some(
      (binding) =>
        rolePermissions(world, binding.role)?.includes(permission) === true &&
        binding.members.some((member) => isMember(caller, member, members)),
    ),
  );
}
