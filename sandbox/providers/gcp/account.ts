import type { Shape } from "../rpc/shape.ts";
import { flag, type Properties, text, unknownValue } from "../rpc/values.ts";
import type { Calls } from "./calls.ts";
import { maskOf, type Definition, idParts } from "./define.ts";
import { afterCreate, GoogleError, isNotFound } from "./errors.ts";

const shape: Shape = {
  accountId: { kind: "string", required: true, replaces: true },
  project: { kind: "string", replaces: true, computed: true },
  displayName: { kind: "string" },
  description: { kind: "string" },
  createIgnoreAlreadyExists: { kind: "boolean" },
};

export const account: Definition = {
  type: "gcp:serviceaccount/account:Account",
  noun: "service account",
  api: "iam",
  shape,
  wanted: (inputs, client) => ({ ...inputs, project: client.project(inputs) }),
  preview(wanted) {
    const known = text(wanted, "accountId") !== unknownValue && text(wanted, "project") !== unknownValue;
    const email = known ? emailOf(wanted) : unknownValue;
    return {
      ...outputsOf({ ...wanted, email }, wanted),
      member: known ? `serviceAccount:${email}` : unknownValue,
      name: unknownValue,
      uniqueId: unknownValue,
    };
  },
  async create(wanted, calls) {
    const project = text(wanted, "project");
    const name = `projects/${project}/serviceAccounts/${emailOf(wanted)}`;
    const made = calls.post(`projects/${project}/serviceAccounts`, {
      accountId: text(wanted, "accountId"),
      serviceAccount: { displayName: text(wanted, "displayName"), description: text(wanted, "description") },
    });
    const live = await made.catch((error: unknown) => {
      const exists = error instanceof GoogleError && error.code === 409;
      if (exists && flag(wanted, "createIgnoreAlreadyExists")) return calls.get(name);
      throw error;
    });
    return afterCreate(name, { ...wanted, email: emailOf(wanted) }, async () => {
      await settle(calls, name);
      return { id: name, outputs: outputsOf(live, wanted) };
    });
  },
  async read(id, old, calls) {
    const { project = "", email = "" } = idParts("projects/{project}/serviceAccounts/{email}", id);
    const accountId = email.split("@")[0] ?? "";
    return { id, outputs: outputsOf(await calls.get(id), { ...old?.outputs, project, accountId }) };
  },
  async update(old, wanted, differences, calls) {
    const { etag = "" } = await calls.get(old.id);
    const mask = maskOf(differences, ["description", "displayName"]);
    if (mask.length > 0) {
      const texts = { displayName: text(wanted, "displayName"), description: text(wanted, "description") };
      await calls.patch(old.id, {
        serviceAccount: { ...texts, etag },
        // Field masks in bodies use snake case.
        updateMask: mask.join(",").replace("displayName", "display_name"),
      });
    }
    return outputsOf(await calls.get(old.id), wanted);
  },
  delete: ({ id }, calls) => calls.delete(id),
};

function emailOf(wanted: Properties): string {
  return `${text(wanted, "accountId")}@${text(wanted, "project")}.iam.gserviceaccount.com`;
}

/**
 * Waits for three successful reads in a row, because a new account appears on Google's servers at different times. Stops
 * without the permission to read.
 */
async function settle(calls: Calls, name: string): Promise<void> {
  let good = 0;
  for (let tries = 0; good < 3 && tries < 20; tries++) {
    try {
      await calls.get(name);
      good++;
    } catch (error) {
      if (!isNotFound(error)) return;
      good = 0;
      await calls.pause();
    }
  }
}

function outputsOf(live: Properties, known: Properties): Properties {
  const email = text(live, "email");
  return {
    accountId: text(known, "accountId"),
    createIgnoreAlreadyExists: known["createIgnoreAlreadyExists"] ?? null,
    deletionPolicy: "DELETE",
    description: text(live, "description"),
    disabled: flag(live, "disabled"),
    displayName: text(live, "displayName"),
    email,
    member: `serviceAccount:${email}`,
    name: text(live, "name"),
    project: text(known, "project"),
    uniqueId: text(live, "uniqueId"),
  };
}
