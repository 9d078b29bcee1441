import { randomBytes } from "node:crypto";
import { z } from "zod";
import { ApiError, invalidArgument } from "../http/errors.ts";
import type { Binding, Policy, Spreading } from "../resources.ts";
import type { Context } from "../context.ts";
import { inForce, rolePermissions } from "./access.ts";
import { checkDomainRestriction } from "./constraints.ts";

/** The etag of a policy that was never set. */
const EMPTY_ETAG = "ACAB";

/** A new etag: base64 of eight bytes. */
export function newEtag(): string {
  return Buffer.concat([Buffer.of(7), randomBytes(7)]).toString("base64");
}

/** gcloud sends etags in URL-safe base64. */
function sameEtag(a: string, b: string): boolean {
  return Buffer.from(a, "base64").equals(Buffer.from(b, "base64"));
}

/** Body of `:setIamPolicy`. */
export const setPolicyBody = z.strictObject({
  policy: z.strictObject({
    version: z.number("TYPE_INT32").optional(),
    etag: z.string("TYPE_BYTES").optional(),
    bindings: z
      .array(
        z.strictObject({
          role: z.string("TYPE_STRING"),
          members: z.array(z.string("TYPE_STRING")).default([]),
          condition: z.record(z.string(), z.unknown()).optional(),
        }),
      )
      .optional(),
    auditConfigs: z.array(z.unknown()).optional(),
  }),
  updateMask: z.string("TYPE_STRING").optional(),
});

/** The policy of a resource as last set; `{"etag":"ACAB"}` if it was never set. */
export function getPolicy(context: Context, resource: string): Policy {
  return context.store.state.policies[resource]?.current ?? { etag: EMPTY_ETAG };
}

const MEMBER =
  /^project(Owner|Editor|Viewer):[a-z0-9-]+$|^(user|group|serviceAccount):[^@\s:]+@[^@\s:]+$|^domain:[^@\s:]+$|^deleted:.+\?uid=\d+$|^principal(Set)?:\/\/iam\.googleapis\.com\/.+/;
const MEMBER_TYPE =
  /^(projectOwner|projectEditor|projectViewer|user|group|serviceAccount|domain|deleted|principal|principalSet):/;

/** Google also checks that users and groups exist: https://github.com/kubernetes/k8s.io/pull/8329. */
function checkMember(context: Context, member: string): void {
  if (member === "allUsers" || member === "allAuthenticatedUsers") return;
  if (!member.includes(":"))
    throw invalidArgument('Policy members must be of the form "<type>:<value>".', "policy.bindings.members");
  if (!MEMBER_TYPE.test(member))
    throw invalidArgument(
      `The member ${member} is of an unknown type. Please set a valid type prefix for the member.`,
      "policy.bindings.members",
    );
  if (!MEMBER.test(member)) throw invalidArgument(`Invalid member: ${member}.`, "policy.bindings.members");
  if (context.members().missing.includes(member)) {
    const [kind = "", address = ""] = member.split(":");
    throw invalidArgument(
      `${kind === "group" ? "Group" : "User"} ${address} does not exist.`,
      "policy.bindings.members",
    );
  }
  const account = /^serviceAccount:(.+@(.+)\.iam\.gserviceaccount\.com)$/.exec(member);
  if (account?.[1] !== undefined && account[2] !== undefined) {
    const { projects, serviceAccounts } = context.store.state;
    if (account[2] in projects && !(account[1] in serviceAccounts))
      throw invalidArgument(`Service account ${account[1]} does not exist.`, "policy.bindings.members");
  }
}

function canonical(member: string): string {
  return /^(user|group|serviceAccount|domain):/.test(member)
    ? member.replace(/:.*/, (address) => address.toLowerCase())
    : member;
}

/** Bindings as Google stores them: one for each role, sorted, without duplicate members, none empty. */
function normalize(bindings: Binding[]): Binding[] {
  const roles = new Map<string, Set<string>>();
  for (const { role, members } of bindings) {
    const set = roles.get(role) ?? new Set();
    for (const member of members) set.add(canonical(member));
    roles.set(role, set);
  }
  return [...roles]
    .filter(([, members]) => members.size > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([role, members]) => ({ role, members: [...members] }));
}

/**
 * Sets the policy of an existing resource.
 *
 * @throws ApiError 409 ABORTED for a stale etag, 400 for an unknown role or member, 400 FAILED_PRECONDITION if an
 * organization policy refuses a new member.
 */
export function setPolicy(context: Context, resource: string, body: z.infer<typeof setPolicyBody>): Policy {
  const before = getPolicy(context, resource);
  const { etag, bindings = [] } = body.policy;
  if (etag !== undefined && !sameEtag(etag, before.etag ?? ""))
    throw new ApiError(
      "ABORTED",
      "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. " +
        `The request's ETag '${etag}' did not match the current policy's ETag '${before.etag ?? ""}'.`,
    );
  for (const binding of bindings) {
    if (binding.condition)
      throw new ApiError("UNIMPLEMENTED", "The sandbox does not support conditions in IAM bindings.");
    if (!rolePermissions(context, binding.role))
      throw invalidArgument(
        `Role ${binding.role} is not supported for this resource.`,
        "policy.bindings.role",
      );
    for (const member of binding.members) checkMember(context, member);
  }
  const after = normalize(bindings);
  checkDomainRestriction(context, resource, before.bindings ?? [], after);
  const policy: Policy = { version: 1, etag: newEtag(), ...(after.length > 0 && { bindings: after }) };
  context.store.change((state) => {
    const stored: Spreading<Policy> = state.policies[resource] ?? { current: {} };
    state.policies[resource] = spread(stored, policy, context.faults.iamSpreadingSeconds(), context.now());
  });
  return policy;
}

/** A change that takes effect after `delaySeconds`. */
export function spread<T>(stored: Spreading<T>, value: T, delaySeconds: number, now: Date): Spreading<T> {
  if (delaySeconds <= 0) return { current: value };
  return {
    current: value,
    before: { value: inForce(stored, now), until: now.getTime() + delaySeconds * 1000 },
  };
}
