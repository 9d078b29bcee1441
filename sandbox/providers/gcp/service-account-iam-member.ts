import { text } from "../rpc/values.ts";
import { iamMember } from "./iam-member.ts";

const api = "iam";
const query = { prettyPrint: "false" };

/** `gcp.serviceaccount.IAMMember`: who may act as a service account. */
export const serviceAccountIamMember = iamMember({
  type: "gcp:serviceaccount/iAMMember:IAMMember",
  noun: "IAM Member for service account",
  shape: { serviceAccountId: { kind: "string", required: true, replaces: true } },
  resource(wanted) {
    const name = text(wanted, "serviceAccountId");
    return { name, outputs: { serviceAccountId: name } };
  },
  access: (name, client, signal) => ({
    name,
    get: () =>
      client.send({
        api,
        method: "POST",
        path: `${name}:getIamPolicy`,
        query: { ...query, "options.requestedPolicyVersion": "3" },
        signal,
      }),
    set: (policy) =>
      client.send({ api, method: "POST", path: `${name}:setIamPolicy`, query, body: { policy }, signal }),
  }),
});
