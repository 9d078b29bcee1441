import type { Shape } from "../rpc/shape.ts";
import { flag, type Properties, text, unknownValue } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";
import { maskOf, type Definition, idParts } from "./define.ts";
import { GoogleError, isNotFound } from "./google-error.ts";
import { afterCreate } from "./wrap-errors.ts";

const api = "iam";

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
  async create(wanted, client, context) {
    const project = text(wanted, "project");
    const name = `projects/${project}/serviceAccounts/${emailOf(wanted)}`;
    let live: Properties;
    try {
      live = await client.send({
        api,
        method: "POST",
        path: `projects/${project}/serviceAccounts`,
        body: {
          accountId: text(wanted, "accountId"),
          serviceAccount: {
            displayName: text(wanted, "displayName"),
            description: text(wanted, "description"),
          },
        },
        signal: context.signal,
      });
    } catch (error) {
      const adopt =
        error instanceof GoogleError && error.code === 409 && flag(wanted, "createIgnoreAlreadyExists");
      if (!adopt) throw error;
      live = await get(client, name, context.signal);
    }
    return afterCreate(name, { ...wanted, email: emailOf(wanted) }, async () => {
      await settle(client, name, context.signal);
      return { id: name, outputs: outputsOf(live, wanted) };
    });
  },
  async read(id, old, client, { signal }) {
    const { project = "", email = "" } = idParts("projects/{project}/serviceAccounts/{email}", id);
    const accountId = email.split("@")[0] ?? "";
    return {
      id,
      outputs: outputsOf(await get(client, id, signal), { ...old?.outputs, project, accountId }),
    };
  },
  async update(old, wanted, differences, client, { signal }) {
    const { etag = "" } = await get(client, old.id, signal);
    const mask = maskOf(differences, ["description", "displayName"]);
    if (mask.length > 0) {
      await client.send({
        api,
        method: "PATCH",
        path: old.id,
        body: {
          serviceAccount: {
            displayName: text(wanted, "displayName"),
            description: text(wanted, "description"),
            etag,
          },
          // Field masks in bodies use snake case.
          updateMask: mask.join(",").replace("displayName", "display_name"),
        },
        signal,
      });
    }
    return outputsOf(await get(client, old.id, signal), wanted);
  },
  async delete({ id }, client, { signal }) {
    await client.send({ api, method: "DELETE", path: id, signal });
  },
};

function emailOf(wanted: Properties): string {
  return `${text(wanted, "accountId")}@${text(wanted, "project")}.iam.gserviceaccount.com`;
}

function get(client: GoogleClient, name: string, signal: AbortSignal): Promise<Properties> {
  return client.send({ api, method: "GET", path: name, signal });
}

/**
 * Waits for three successful reads in a row, because a new account appears on Google's servers at different times. Stops
 * without the permission to read.
 */
async function settle(client: GoogleClient, name: string, signal: AbortSignal): Promise<void> {
  let good = 0;
  for (let tries = 0; good < 3 && tries < 20; tries++) {
    try {
      await get(client, name, signal);
      good++;
    } catch (error) {
      if (!isNotFound(error)) return;
      good = 0;
      await client.pause(signal);
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
