import type { Shape } from "../rpc/shape.ts";
import { flag, type Properties, record, text, texts, unknownValue } from "../rpc/values.ts";
import type { Calls } from "./calls.ts";
import { bodyOf, maskOf, type Definition, idOf, idParts } from "./define.ts";
import { afterCreate } from "./errors.ts";

/** A pool or a provider. */
interface Kind {
  type: string;
  noun: string;
  /** A template for {@link idOf}. */
  id: string;
  /** Properties in the id. */
  named: Shape;
  /** Properties that an update can change. */
  changeable: Shape;
  /** Outputs that pools and providers do not share. */
  outputs(live: Properties): Properties;
  /** Adds fields that the answer to GET does not have. */
  complete?(live: Properties, name: string, calls: Calls): Promise<Properties>;
}

const common: Shape = {
  displayName: { kind: "string" },
  description: { kind: "string" },
  disabled: { kind: "boolean" },
};

const poolId: Shape = { workloadIdentityPoolId: { kind: "string", required: true, replaces: true } };

const pool: Kind = {
  type: "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
  noun: "WorkloadIdentityPool",
  id: "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
  named: poolId,
  changeable: common,
  outputs: (live) => ({
    attestationRules: live["attestationRules"] ?? [],
    inlineCertificateIssuanceConfig: null,
    inlineTrustConfig: null,
    mode: text(live, "mode"),
  }),
  complete: async (live, name, calls) => ({ ...live, ...(await calls.get(`${name}:listAttestationRules`)) }),
};

const provider: Kind = {
  type: "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
  noun: "WorkloadIdentityPoolProvider",
  id: `${pool.id}/providers/{workloadIdentityPoolProviderId}`,
  named: {
    ...poolId,
    workloadIdentityPoolProviderId: { kind: "string", required: true, replaces: true },
  },
  changeable: {
    ...common,
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
  },
  outputs: (live) => ({
    attributeCondition: text(live, "attributeCondition"),
    attributeMapping: record(live, "attributeMapping") ?? {},
    aws: null,
    oidc: oidcOutputs(record(live, "oidc")),
    saml: null,
    x509: null,
  }),
};

function oidcOutputs(oidc: Properties | undefined): Properties | null {
  if (oidc === undefined) return null;
  const audiences = texts(oidc, "allowedAudiences");
  return {
    allowedAudiences: audiences.length === 0 ? null : audiences,
    issuerUri: text(oidc, "issuerUri"),
    jwksJson: text(oidc, "jwksJson"),
  };
}

/** The real plugin's mask for a changed `oidc`. */
const oidcMask = ["oidc.allowed_audiences", "oidc.issuer_uri", "oidc.jwks_json"];

function definitionOf(kind: Kind): Definition {
  const { type, noun, named, changeable } = kind;
  const fields = Object.keys(changeable);
  const get = async (calls: Calls, name: string): Promise<Properties> => {
    const live = await calls.get(name);
    if (text(live, "state") === "DELETED") return live;
    return (await kind.complete?.(live, name, calls)) ?? live;
  };
  const outputsOf = (live: Properties, known: Properties): Properties => ({
    ...kind.outputs(live),
    deletionPolicy: "DELETE",
    description: text(live, "description"),
    disabled: flag(live, "disabled"),
    displayName: text(live, "displayName"),
    name: text(live, "name"),
    project: text(known, "project"),
    state: text(live, "state"),
    ...Object.fromEntries(Object.keys(named).map((property) => [property, text(known, property)])),
  });
  return {
    type,
    noun,
    api: "iamBeta",
    shape: { ...named, project: { kind: "string", replaces: true, computed: true }, ...changeable },
    wanted: (inputs, client) => ({ ...inputs, project: client.project(inputs) }),
    preview: (wanted) => ({
      ...outputsOf(wanted, wanted),
      ...wanted,
      name: unknownValue,
      state: unknownValue,
    }),
    async create(wanted, calls) {
      const id = idOf(kind.id, wanted);
      const parameter = Object.keys(named).at(-1) ?? "";
      const query = { [parameter]: text(wanted, parameter) };
      const started = calls.post(id.replace(/\/[^/]+$/, ""), bodyOf(wanted, fields), query);
      await calls.done(started, `Creating ${noun}`);
      return afterCreate(id, wanted, async () => ({ id, outputs: outputsOf(await get(calls, id), wanted) }));
    },
    async read(id, _old, calls) {
      const known = idParts(kind.id, id);
      const live = await get(calls, id);
      // Soft-deleted resources exist for 30 days.
      if (text(live, "state") === "DELETED") return undefined;
      return { id, outputs: outputsOf(live, known) };
    },
    async update(old, wanted, differences, calls) {
      const mask = maskOf(differences, fields).flatMap((field) => (field === "oidc" ? oidcMask : [field]));
      const query = { updateMask: mask.join(",") };
      if (mask.length > 0)
        await calls.done(calls.patch(old.id, bodyOf(wanted, fields), query), `Updating ${noun}`);
      return outputsOf(await get(calls, old.id), wanted);
    },
    delete: ({ id }, calls) => calls.done(calls.delete(id), `Deleting ${noun}`),
  };
}

export const workloadIdentityPool = definitionOf(pool);

/** `gcp.iam.WorkloadIdentityPoolProvider`, for OIDC issuers. */
export const workloadIdentityPoolProvider = definitionOf(provider);
