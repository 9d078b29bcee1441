import { sameButCase, sameLastPart, type Shape } from "../rpc/shape.ts";
import {
  flag,
  isRecord,
  type Properties,
  record,
  text,
  texts,
  unknownValue,
  type Value,
} from "../rpc/values.ts";
import { type Definition, idParts } from "./define.ts";
import { afterCreate } from "./errors.ts";

const shape: Shape = {
  name: { kind: "string", required: true, replaces: true, same: sameLastPart },
  parent: { kind: "string", required: true, replaces: true },
  spec: {
    kind: "block",
    items: {
      inheritFromParent: { kind: "boolean" },
      reset: { kind: "boolean" },
      rules: {
        kind: "blocks",
        items: {
          allowAll: { kind: "string", same: sameButCase },
          denyAll: { kind: "string", same: sameButCase },
          enforce: { kind: "string", same: sameButCase },
          values: {
            kind: "block",
            items: { allowedValues: { kind: "strings" }, deniedValues: { kind: "strings" } },
          },
        },
      },
    },
  },
};

/** `gcp.orgpolicy.Policy`: an organization policy set on a project. */
export const orgPolicy: Definition = {
  type: "gcp:orgpolicy/policy:Policy",
  noun: "Policy",
  api: "orgPolicy",
  shape,
  preview: (wanted) => ({
    ...outputsOf(wanted, wanted),
    spec: wanted["spec"] ?? null,
    name: shortName(wanted),
    etag: unknownValue,
  }),
  previewUpdate: (old, wanted) => ({ ...old.outputs, spec: wanted["spec"] ?? null }),
  async create(wanted, calls) {
    const parent = text(wanted, "parent");
    const id = `${parent}/policies/${shortName(wanted)}`;
    await calls.post(`${parent}/policies`, { name: id, ...specBody(wanted, undefined) });
    return afterCreate(id, { ...wanted, name: shortName(wanted) }, async () => {
      return { id, outputs: outputsOf(await calls.get(id), wanted) };
    });
  },
  async read(id, _old, calls) {
    const { project = "", constraint: name = "" } = idParts("projects/{project}/policies/{constraint}", id);
    return { id, outputs: outputsOf(await calls.get(id), { parent: `projects/${project}`, name }) };
  },
  async update(old, wanted, _differences, calls) {
    const body = { name: old.id, ...specBody(wanted, record(old.outputs, "spec")) };
    await calls.patch(old.id, body, { updateMask: "policy.spec" });
    return outputsOf(await calls.get(old.id), wanted);
  },
  delete: ({ id }, calls) => calls.delete(id),
};

function shortName(known: Properties): string {
  const name = text(known, "name");
  return name === unknownValue ? name : (name.split("/").at(-1) ?? name);
}

/** @param old the current spec, which has the etag. */
function specBody(wanted: Properties, old: Properties | undefined): Properties {
  const spec = record(wanted, "spec");
  if (spec === undefined) return {};
  const rules = Array.isArray(spec["rules"]) ? spec["rules"].filter(isRecord) : [];
  const etag = text(old, "etag");
  return {
    spec: {
      ...(etag === "" ? {} : { etag }),
      inheritFromParent: flag(spec, "inheritFromParent"),
      reset: flag(spec, "reset"),
      ...(rules.length === 0 ? {} : { rules: rules.map(ruleBody) }),
    },
  };
}

function ruleBody(rule: Properties): Properties {
  const values = record(rule, "values");
  return {
    ...(values === undefined ? {} : { values }),
    allowAll: parsed(rule, "allowAll"),
    denyAll: parsed(rule, "denyAll"),
    enforce: parsed(rule, "enforce"),
  };
}

/** "TRUE" in the program, true in the API. */
function parsed(rule: Properties, key: string): Value {
  const value = text(rule, key).toUpperCase();
  return value === "TRUE" ? true : value === "FALSE" ? false : null;
}

function upperCase(value: Value | undefined): Value {
  if (typeof value === "boolean") return String(value).toUpperCase();
  return typeof value === "string" ? value : "";
}

function outputsOf(live: Properties, known: Properties): Properties {
  const spec = record(live, "spec");
  const rules = Array.isArray(spec?.["rules"]) ? spec["rules"].filter(isRecord) : [];
  return {
    deletionPolicy: "DELETE",
    dryRunSpec: null,
    etag: text(live, "etag"),
    name: shortName(known),
    parent: text(known, "parent"),
    spec:
      spec === undefined
        ? null
        : {
            etag: text(spec, "etag"),
            inheritFromParent: flag(spec, "inheritFromParent"),
            reset: flag(spec, "reset"),
            rules: rules.map(ruleOutputs),
            updateTime: text(spec, "updateTime"),
          },
  };
}

function ruleOutputs(rule: Properties): Properties {
  const values = record(rule, "values");
  const list = (key: string): Value => (texts(values, key).length === 0 ? null : texts(values, key));
  return {
    allowAll: upperCase(rule["allowAll"]),
    condition: null,
    denyAll: upperCase(rule["denyAll"]),
    enforce: upperCase(rule["enforce"]),
    parameters: "",
    values:
      values === undefined
        ? null
        : { allowedValues: list("allowedValues"), deniedValues: list("deniedValues") },
  };
}
