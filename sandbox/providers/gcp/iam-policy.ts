import { isRecord, type Properties, text, texts } from "../rpc/values.ts";
import { GoogleError } from "./errors.ts";

/** Reads and writes the policy of one resource. */
export interface PolicyAccess {
  /** The resource's name. */
  name: string;
  get(): Promise<Properties>;
  set(policy: Properties): Promise<Properties>;
  /** Waits before a retry. */
  pause(units?: number): Promise<void>;
}

export interface Grant {
  role: string;
  member: string;
}

/** Lowercases email addresses, as Google does. */
export function normalMember(member: string): string {
  return /^(user|serviceAccount|group|domain):/.test(member)
    ? member.replace(/:(.*)$/s, (rest) => rest.toLowerCase())
    : member;
}

/** Whether the policy has the binding without a condition. */
export function holds(policy: Properties, grant: Grant): boolean {
  return bindings(policy).some(
    (binding) => isFor(binding, grant) && members(binding).includes(normalMember(grant.member)),
  );
}

export function added(policy: Properties, grant: Grant): Properties {
  const list = bindings(policy);
  const at = list.findIndex((binding) => isFor(binding, grant));
  const found = list[at];
  const member = normalMember(grant.member);
  if (found === undefined) list.push({ members: [member], role: grant.role });
  else list[at] = { ...found, members: [...texts(found, "members"), member] };
  return { ...policy, bindings: list, version: 3 };
}

/** Removes a member from a role, and a binding without members. */
export function removed(policy: Properties, grant: Grant): Properties {
  const member = normalMember(grant.member);
  const list = bindings(policy).flatMap((binding) => {
    if (!isFor(binding, grant)) return [binding];
    const left = texts(binding, "members").filter((one) => normalMember(one) !== member);
    return left.length === 0 ? [] : [{ ...binding, members: left }];
  });
  return { ...policy, bindings: list, version: 3 };
}

const conflictTries = 12;
const queues = new Map<string, Promise<unknown>>();

/** Serializes writers in this process, whose etags would conflict. */
async function serialize(name: string, work: () => Promise<void>): Promise<void> {
  const before = queues.get(name) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(work);
  queues.set(name, mine);
  await mine;
}

/**
 * Reads, changes and writes a policy. Retries after a conflict (409).
 *
 * @param change returns undefined if nothing changes.
 */
export async function changePolicy(
  access: PolicyAccess,
  change: (policy: Properties) => Properties | undefined,
): Promise<void> {
  await serialize(access.name, async () => {
    for (let tries = 1; ; tries++) {
      const changed = change(await access.get());
      if (changed === undefined) return;
      try {
        await access.set(changed);
        return;
      } catch (error) {
        const conflict = error instanceof GoogleError && error.code === 409;
        if (!conflict || tries === conflictTries) throw error;
        // Jitter.
        await access.pause(Math.min(2 ** (tries - 1), 8) * (0.5 + Math.random() / 2));
      }
    }
  });
}

/** Polls until the binding appears, because changes take time to propagate. */
export async function awaitGrant(access: PolicyAccess, grant: Grant): Promise<Properties> {
  for (let tries = 1; ; tries++) {
    const policy = await access.get();
    if (holds(policy, grant)) return policy;
    if (tries === 12) {
      throw new Error(
        `the policy of ${access.name} was written, but does not show ${grant.role} for ${grant.member}`,
      );
    }
    await access.pause();
  }
}

function bindings(policy: Properties): Properties[] {
  return Array.isArray(policy["bindings"]) ? policy["bindings"].filter(isRecord) : [];
}

function members(binding: Properties): string[] {
  return texts(binding, "members").map(normalMember);
}

function isFor(binding: Properties, grant: Grant): boolean {
  return text(binding, "role") === grant.role && !isRecord(binding["condition"]);
}
