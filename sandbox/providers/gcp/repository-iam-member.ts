import { sameLastPart } from "../rpc/shape.ts";
import { text, unknownValue } from "../rpc/values.ts";
import { iamMember } from "./iam-member.ts";

const api = "artifactRegistry";
const fullName = /^projects\/([^/]+)\/locations\/([^/]+)\/repositories\/([^/]+)$/;

/** `gcp.artifactregistry.RepositoryIamMember`. */
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
  access: (name, client, signal) => ({
    name,
    get: () => client.send({ api, method: "GET", path: `${name}:getIamPolicy`, signal }),
    set: (policy) =>
      client.send({ api, method: "POST", path: `${name}:setIamPolicy`, body: { policy }, signal }),
  }),
});
