import { sameLastPart, type Shape } from "../rpc/shape.ts";
import { type Properties, text, unknownValue } from "../rpc/values.ts";
import type { Calls } from "./calls.ts";
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
import { afterCreate } from "./errors.ts";

/** The differences between members of repositories and of service accounts. */
interface MemberOf {
  type: string;
  noun: string;
  /** Properties that name the resource. */
  shape: Shape;
  /** The resource's full name and its outputs. */
  resource(wanted: Properties, client: GoogleClient): { name: string; outputs: Properties };
  api: Api;
  readPolicy(path: string, calls: Calls): Promise<Properties>;
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
  const accessTo = (name: string, calls: Calls): PolicyAccess => ({
    name,
    get: () => of.readPolicy(`${name}:getIamPolicy`, calls),
    set: (policy) => calls.post(`${name}:setIamPolicy`, { policy }),
    pause: calls.pause,
  });
  return {
    type: of.type,
    noun: of.noun,
    api: of.api,
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
    async create(wanted, calls) {
      const { name, grant, id, outputs } = locate(wanted, calls.client);
      const access = accessTo(name, calls);
      await changePolicy(access, (policy) => (holds(policy, grant) ? undefined : added(policy, grant)));
      return afterCreate(id, outputs, async () => {
        const policy = await awaitGrant(access, grant);
        return { id, outputs: { ...outputs, etag: text(policy, "etag") } };
      });
    },
    async read(id, old, calls) {
      if (old === undefined)
        throw new Error(
          `the sandbox's fake provider for the gcp plugin does not import a ${of.type} (${id}); the real gcp plugin does`,
        );
      const { name, grant, outputs } = locate(old.outputs, calls.client);
      const policy = await accessTo(name, calls).get();
      if (!holds(policy, grant)) return undefined;
      return { id, outputs: { ...outputs, etag: text(policy, "etag") } };
    },
    async delete(old, calls) {
      const { name, grant } = locate(old.outputs, calls.client);
      await changePolicy(accessTo(name, calls), (policy) =>
        holds(policy, grant) ? removed(policy, grant) : undefined,
      );
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
  readPolicy: (path, calls) => calls.get(path),
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
  readPolicy: (path, calls) => calls.ask(path, { "options.requestedPolicyVersion": "3" }),
});
