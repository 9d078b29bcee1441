import type { Shape } from "../rpc/shape.ts";
import { flag, type Properties, text, unknownValue, type Value } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";
import { type Definition, idParts } from "./define.ts";
import { bodyOf, maskOf } from "./masked.ts";
import { operationDone } from "./operation.ts";
import { onceCreated } from "./worded.ts";

const api = "iamBeta";
const fields = ["displayName", "description", "disabled"];

const shape: Shape = {
  workloadIdentityPoolId: { kind: "string", required: true, replaces: true },
  project: { kind: "string", replaces: true, computed: true },
  displayName: { kind: "string" },
  description: { kind: "string" },
  disabled: { kind: "boolean" },
};

/** `gcp.iam.WorkloadIdentityPool`. */
export const workloadIdentityPool: Definition = {
  type: "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
  noun: "WorkloadIdentityPool",
  shape,
  wanted: (inputs, client) => ({ ...inputs, project: client.project(inputs) }),
  preview: (wanted) => ({ ...outputsOf(wanted, [], wanted), name: unknownValue, state: unknownValue }),
  async create(wanted, client, { signal }) {
    const parent = `projects/${text(wanted, "project")}/locations/global/workloadIdentityPools`;
    const poolId = text(wanted, "workloadIdentityPoolId");
    const id = `${parent}/${poolId}`;
    const operation = await client.send({
      api,
      method: "POST",
      path: parent,
      query: { workloadIdentityPoolId: poolId },
      body: bodyOf(wanted, fields),
      signal,
    });
    await operationDone(client, api, operation, "Creating WorkloadIdentityPool", signal);
    return onceCreated(id, wanted, async () => {
      const { live, rules } = await get(client, id, signal);
      return { id, outputs: outputsOf(live, rules, wanted) };
    });
  },
  async read(id, _old, client, { signal }) {
    const { project = "", poolId = "" } = idParts(
      id,
      /^projects\/(?<project>[^/]+)\/locations\/global\/workloadIdentityPools\/(?<poolId>[^/]+)$/,
      "projects/PROJECT/locations/global/workloadIdentityPools/POOL",
    );
    const name = `projects/${project}/locations/global/workloadIdentityPools/${poolId}`;
    const { live, rules } = await get(client, name, signal);
    // Deleted softly: it still answers, for 30 days.
    if (text(live, "state") === "DELETED") return undefined;
    return { id: name, outputs: outputsOf(live, rules, { project, workloadIdentityPoolId: poolId }) };
  },
  async update(old, wanted, differences, client, { signal }) {
    const mask = maskOf(differences, fields);
    if (mask.length > 0) {
      const operation = await client.send({
        api,
        method: "PATCH",
        path: old.id,
        query: { updateMask: mask.join(",") },
        body: bodyOf(wanted, fields),
        signal,
      });
      await operationDone(client, api, operation, "Updating WorkloadIdentityPool", signal);
    }
    const { live, rules } = await get(client, old.id, signal);
    return outputsOf(live, rules, wanted);
  },
  async delete({ id }, client, { signal }) {
    const operation = await client.send({ api, method: "DELETE", path: id, signal });
    await operationDone(client, api, operation, "Deleting WorkloadIdentityPool", signal);
  },
};

async function get(
  client: GoogleClient,
  name: string,
  signal: AbortSignal,
): Promise<{ live: Properties; rules: Value[] }> {
  const live = await client.send({ api, method: "GET", path: name, signal });
  if (text(live, "state") === "DELETED") return { live, rules: [] };
  const answer = await client.send({ api, method: "GET", path: `${name}:listAttestationRules`, signal });
  const rules = answer["attestationRules"];
  return { live, rules: Array.isArray(rules) ? rules : [] };
}

function outputsOf(live: Properties, rules: Value[], known: Properties): Properties {
  return {
    attestationRules: rules,
    deletionPolicy: "DELETE",
    description: text(live, "description"),
    disabled: flag(live, "disabled"),
    displayName: text(live, "displayName"),
    inlineCertificateIssuanceConfig: null,
    inlineTrustConfig: null,
    mode: text(live, "mode"),
    name: text(live, "name"),
    project: text(known, "project"),
    state: text(live, "state"),
    workloadIdentityPoolId: text(known, "workloadIdentityPoolId"),
  };
}
