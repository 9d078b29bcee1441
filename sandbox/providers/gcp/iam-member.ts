import type { Shape } from "../rpc/shape.ts";
import { type Properties, text, unknownValue } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";
import type { Definition } from "./define.ts";
import {
  added,
  awaitGrant,
  changePolicy,
  type Grant,
  holds,
  normalMember,
  type PolicyAccess,
  removed,
} from "./iam-policy.ts";
import { onceCreated } from "./worded.ts";

/** What differs between the members of a repository's policy and of a service account's. */
export interface MemberOf {
  type: string;
  noun: string;
  /** The properties that name the resource. */
  shape: Shape;
  /** The resource's full name and its outputs. */
  resource(wanted: Properties, client: GoogleClient): { name: string; outputs: Properties };
  access(name: string, client: GoogleClient, signal: AbortSignal): PolicyAccess;
}

/** One role for one member on one resource, beside whatever else its policy says. */
export function iamMember(of: MemberOf): Definition {
  const locate = (wanted: Properties, client: GoogleClient) => {
    const { name, outputs } = of.resource(wanted, client);
    const grant: Grant = { role: text(wanted, "role"), member: text(wanted, "member") };
    const id = `${name}/${grant.role}/${normalMember(grant.member)}`;
    return {
      name,
      grant,
      id,
      outputs: { ...outputs, role: grant.role, member: grant.member, condition: null },
    };
  };
  return {
    type: of.type,
    noun: of.noun,
    shape: {
      ...of.shape,
      role: { kind: "string", required: true, replaces: true },
      member: {
        kind: "string",
        required: true,
        replaces: true,
        same: (wanted, actual) => normalMember(wanted) === normalMember(actual),
      },
    },
    preview: (wanted, client) => ({ ...locate(wanted, client).outputs, etag: unknownValue }),
    async create(wanted, client, { signal }) {
      const { name, grant, id, outputs } = locate(wanted, client);
      const access = of.access(name, client, signal);
      await changePolicy(
        access,
        (policy) => (holds(policy, grant) ? undefined : added(policy, grant)),
        client,
        signal,
      );
      return onceCreated(id, outputs, async () => {
        const policy = await awaitGrant(access, grant, client, signal);
        return { id, outputs: { ...outputs, etag: text(policy, "etag") } };
      });
    },
    async read(id, old, client, { signal }) {
      if (old === undefined)
        throw new Error(
          `the sandbox's fake provider for the gcp plugin does not import a ${of.type} (${id}); the real gcp plugin does`,
        );
      const { name, grant, outputs } = locate(old.outputs, client);
      const policy = await of.access(name, client, signal).get();
      if (!holds(policy, grant)) return undefined;
      return { id, outputs: { ...outputs, etag: text(policy, "etag") } };
    },
    async delete(old, client, { signal }) {
      const { name, grant } = locate(old.outputs, client);
      const change = (policy: Properties) => (holds(policy, grant) ? removed(policy, grant) : undefined);
      await changePolicy(of.access(name, client, signal), change, client, signal);
    },
  };
}
