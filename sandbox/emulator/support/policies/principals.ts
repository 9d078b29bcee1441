import type { Caller } from "../../../lib/tokens.ts";
import type { Members } from "./members.ts";

/** A caller without credentials. */
export const ANONYMOUS: Caller = { principal: "" };

function inGroup(principal: string, group: string, members: Members, seen: Set<string>): boolean {
  if (seen.has(group)) return false;
  seen.add(group);
  return (members.groups[group] ?? []).some(
    (member) =>
      member === principal ||
      (member.startsWith("group:") && inGroup(principal, member.slice("group:".length), members, seen)),
  );
}

function inPrincipalSet(caller: Caller, member: string): boolean {
  const federation = caller.federation;
  if (!federation) return false;
  const prefix = `principalSet://iam.googleapis.com/${federation.pool}/`;
  if (!member.startsWith(prefix)) return false;
  const set = member.slice(prefix.length);
  if (set === "*") return true;
  const attribute = /^attribute\.([^/]+)\/(.*)$/.exec(set);
  return attribute?.[1] !== undefined && federation.attributes[attribute[1]] === attribute[2];
}

/** Whether `member` of a binding includes the caller. */
export function isMember(caller: Caller, member: string, members: Members): boolean {
  if (member === "allUsers") return true;
  const { principal } = caller;
  if (principal === "") return false;
  // Federated identities are not Google accounts.
  if (member === "allAuthenticatedUsers") return !principal.startsWith("principal://");
  if (member === principal) return true;
  if (member.startsWith("group:"))
    return inGroup(principal, member.slice("group:".length), members, new Set());
  if (member.startsWith("domain:"))
    return principal.startsWith("user:") && principal.endsWith(`@${member.slice("domain:".length)}`);
  return inPrincipalSet(caller, member);
}
