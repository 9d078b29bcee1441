import { sameLastPart, type Shape } from "../rpc/shape.ts";
import { type Properties, text, unknownValue } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";
import type { Definition } from "./define.ts";
import type { Api } from "./settings.ts";
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
import { afterCreate } from "./wrap-errors.ts";

/** The differences between members of repositories and of service accounts. */
interface MemberOf {
  type: string;
  noun: string;
  /** Properties that name the resource. */
  shape: Shape;
  /** The resource's full name and its outputs. */
  resource(wanted: Properties, client: GoogleClient): { name: string; outputs: Properties };
  api: Api;
  /** The request that reads the policy. */
  read: { method: "GET" | "POST"; query: Record<string, string> };
}

/** One role for one member; keeps other bindings of the policy. */
function iamMember(of: MemberOf): Definition {
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
  const accessTo = (name: string, client: GoogleClient, signal: AbortSignal): PolicyAccess => ({
    name,
    get: () => client.send({ api: of.api, path: `${name}:getIamPolicy`, ...of.read, signal }),
    set: (policy) =>
      client.send({ api: of.api, method: "POST", path: `${name}:setIamPolicy`, body: { policy }, signal }),
  });
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
      const access = accessTo(name, client, signal);
      await changePolicy(
        access,
        (policy) => (holds(policy, grant) ? undefined : added(policy, grant)),
        client,
        signal,
      );
      return afterCreate(id, outputs, async () => {
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
      const policy = await accessTo(name, client, signal).get();
      if (!holds(policy, grant)) return undefined;
      return { id, outputs: { ...outputs, etag: text(policy, "etag") } };
    },
    async delete(old, client, { signal }) {
      const { name, grant } = locate(old.outputs, client);
      const change = (policy: Properties) => (holds(policy, grant) ? removed(policy, grant) : undefined);
      await changePolicy(accessTo(name, client, signal), change, client, signal);
    },
  };
}

const fullName = /^projects\/([^/]+)\/locations\/([^/]+)\/repositories\/([^/]+)$/;

export const repositoryIamMember = iamMember({
  type: "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
  noun: "IAM Member for artifactregistry repository",
  shape: {
    repository: { kind: "string", required: true, replaces: true, same: sameLastPart },
    location: { kind: "string", replaces: true, computed: true },
    project: { kind: "string", replaces: true, computed: true },
  },
  resource(wanted, client) {
    const repository = text(wanted, "repository");
    const [, ofName, at, id = repository] = fullName.exec(repository) ?? [];
    const project = text(wanted, "project") || ofName || client.project({});
    const location = text(wanted, "location") || at || client.settings.region;
    const name = `projects/${project}/locations/${location}/repositories/${id}`;
    const known = [project, location, id].every((part) => part !== unknownValue);
    return { name, outputs: { project, location, repository: known ? name : unknownValue } };
  },
  api: "artifactRegistry",
  read: { method: "GET", query: {} },
});

export const serviceAccountIamMember = iamMember({
  type: "gcp:serviceaccount/iAMMember:IAMMember",
  noun: "IAM Member for service account",
  shape: { serviceAccountId: { kind: "string", required: true, replaces: true } },
  resource(wanted) {
    const name = text(wanted, "serviceAccountId");
    return { name, outputs: { serviceAccountId: name } };
  },
  api: "iam",
  read: { method: "POST", query: { "options.requestedPolicyVersion": "3" } },
});
