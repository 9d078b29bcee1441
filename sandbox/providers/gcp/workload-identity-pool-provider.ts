import type { Shape } from "../rpc/shape.ts";
import { flag, type Properties, record, text, texts, unknownValue } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";
import { type Definition, idParts } from "./define.ts";
import { bodyOf, maskOf } from "./masked.ts";
import { operationDone } from "./operation.ts";
import { onceCreated } from "./worded.ts";

const api = "iamBeta";
const fields = ["displayName", "description", "disabled", "attributeMapping", "attributeCondition", "oidc"];
const doing = (verb: string): string => `${verb} WorkloadIdentityPoolProvider`;

const shape: Shape = {
  workloadIdentityPoolId: { kind: "string", required: true, replaces: true },
  workloadIdentityPoolProviderId: { kind: "string", required: true, replaces: true },
  project: { kind: "string", replaces: true, computed: true },
  displayName: { kind: "string" },
  description: { kind: "string" },
  disabled: { kind: "boolean" },
  attributeMapping: { kind: "map" },
  attributeCondition: { kind: "string" },
  oidc: {
    kind: "block",
    items: {
      issuerUri: { kind: "string", required: true },
      allowedAudiences: { kind: "strings" },
      jwksJson: { kind: "string" },
    },
  },
};

/** `gcp.iam.WorkloadIdentityPoolProvider`, for OIDC issuers. */
export const workloadIdentityPoolProvider: Definition = {
  type: "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
  noun: "WorkloadIdentityPoolProvider",
  shape,
  wanted: (inputs, client) => ({ ...inputs, project: client.project(inputs) }),
  preview: (wanted) => ({ ...outputsOf(wanted, wanted), ...wanted, name: unknownValue, state: unknownValue }),
  async create(wanted, client, { signal }) {
    const parent = `${poolOf(wanted)}/providers`;
    const providerId = text(wanted, "workloadIdentityPoolProviderId");
    const id = `${parent}/${providerId}`;
    const operation = await client.send({
      api,
      method: "POST",
      path: parent,
      query: { workloadIdentityPoolProviderId: providerId },
      body: bodyOf(wanted, fields),
      signal,
    });
    await operationDone(client, api, operation, doing("Creating"), signal);
    return onceCreated(id, wanted, async () => {
      return { id, outputs: outputsOf(await get(client, id, signal), wanted) };
    });
  },
  async read(id, _old, client, { signal }) {
    const parts = idParts(
      id,
      /^projects\/(?<project>[^/]+)\/locations\/global\/workloadIdentityPools\/(?<pool>[^/]+)\/providers\/(?<provider>[^/]+)$/,
      "projects/PROJECT/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
    );
    const known = {
      project: parts["project"] ?? "",
      workloadIdentityPoolId: parts["pool"] ?? "",
      workloadIdentityPoolProviderId: parts["provider"] ?? "",
    };
    const name = `${poolOf(known)}/providers/${known.workloadIdentityPoolProviderId}`;
    const live = await get(client, name, signal);
    // Deleted softly: it still answers, for 30 days.
    if (text(live, "state") === "DELETED") return undefined;
    return { id: name, outputs: outputsOf(live, known) };
  },
  async update(old, wanted, differences, client, { signal }) {
    const mask = maskOf(differences, fields).flatMap((field) => (field === "oidc" ? oidcMask : [field]));
    if (mask.length > 0) {
      const operation = await client.send({
        api,
        method: "PATCH",
        path: old.id,
        query: { updateMask: mask.join(",") },
        body: bodyOf(wanted, fields),
        signal,
      });
      await operationDone(client, api, operation, doing("Updating"), signal);
    }
    return outputsOf(await get(client, old.id, signal), wanted);
  },
  async delete({ id }, client, { signal }) {
    const operation = await client.send({ api, method: "DELETE", path: id, signal });
    await operationDone(client, api, operation, doing("Deleting"), signal);
  },
};

/** As the real plugin names a changed `oidc`. */
const oidcMask = ["oidc.allowed_audiences", "oidc.issuer_uri", "oidc.jwks_json"];

function poolOf(known: Properties): string {
  return `projects/${text(known, "project")}/locations/global/workloadIdentityPools/${text(known, "workloadIdentityPoolId")}`;
}

function get(client: GoogleClient, name: string, signal: AbortSignal): Promise<Properties> {
  return client.send({ api, method: "GET", path: name, signal });
}

function outputsOf(live: Properties, known: Properties): Properties {
  const oidc = record(live, "oidc");
  const audiences = texts(oidc, "allowedAudiences");
  return {
    attributeCondition: text(live, "attributeCondition"),
    attributeMapping: record(live, "attributeMapping") ?? {},
    aws: null,
    deletionPolicy: "DELETE",
    description: text(live, "description"),
    disabled: flag(live, "disabled"),
    displayName: text(live, "displayName"),
    name: text(live, "name"),
    oidc:
      oidc === undefined
        ? null
        : {
            allowedAudiences: audiences.length === 0 ? null : audiences,
            issuerUri: text(oidc, "issuerUri"),
            jwksJson: text(oidc, "jwksJson"),
          },
    project: text(known, "project"),
    saml: null,
    state: text(live, "state"),
    workloadIdentityPoolId: text(known, "workloadIdentityPoolId"),
    workloadIdentityPoolProviderId: text(known, "workloadIdentityPoolProviderId"),
    x509: null,
  };
}
