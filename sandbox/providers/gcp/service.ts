import { setTimeout as sleep } from "node:timers/promises";
import type { Shape } from "../rpc/shape.ts";
import { type Properties, record, text } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";
import { type Definition, idParts } from "./define.ts";
import { operationDone } from "./operation.ts";

const shape: Shape = {
  service: { kind: "string", required: true, replaces: true },
  project: { kind: "string", replaces: true, computed: true },
  disableOnDestroy: { kind: "boolean", required: true, only: false },
};

/** `gcp.projects.Service`: an API, enabled in a project. */
export const service: Definition = {
  type: "gcp:projects/service:Service",
  noun: "Project Service",
  shape,
  wanted: (inputs, client) => ({ ...inputs, project: client.project(inputs) }),
  preview: (wanted) => outputsOf(wanted),
  async create(wanted, client, { signal }) {
    const project = text(wanted, "project");
    const name = text(wanted, "service");
    const id = `${project}/${name}`;
    if ((await enabled(client, project, signal)).has(name)) return { id, outputs: outputsOf(wanted) };
    await enableTogether(client, project, name, signal);
    await listed(client, project, signal, name);
    return { id, outputs: outputsOf(wanted) };
  },
  async read(id, old, client, { signal }) {
    const { project = "", service: name = "" } = idParts("{project}/{service}", id);
    const list = await enabledNow(client, project, signal);
    if (!list.has(name)) return undefined;
    return { id, outputs: outputsOf({ ...old?.outputs, project, service: name }) };
  },
  // The API stays enabled because others in the project may use it.
  delete: () => Promise.resolve(),
};

function outputsOf(wanted: Properties): Properties {
  return {
    checkIfServiceHasUsageOnDestroy: null,
    deletionPolicy: "DELETE",
    disableDependentServices: null,
    disableOnDestroy: wanted["disableOnDestroy"] ?? null,
    project: wanted["project"] ?? null,
    service: wanted["service"] ?? null,
  };
}

/** How long a request waits for others, in milliseconds. The real plugin waits for seconds. */
const TOGETHER_MS = 500;

/** The APIs of a project that one request enables. */
interface Batch {
  names: string[];
  done: Promise<void>;
}

const batches = new Map<string, Batch>();

/**
 * Enables APIs in one request if they are requested at about the same time; if that fails, one at a time. Terraform's
 * provider, which the plugin bridges, does this (github.com/hashicorp/terraform-provider-google: google/transport/batcher.go).
 */
async function enableTogether(
  client: GoogleClient,
  project: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const batch = batches.get(project) ?? startBatch(client, project, signal);
  batch.names.push(name);
  try {
    await batch.done;
  } catch (error) {
    if (batch.names.length === 1) throw error;
    await enable(client, project, [name], signal);
  }
}

function startBatch(client: GoogleClient, project: string, signal: AbortSignal): Batch {
  const names: string[] = [];
  const done = sleep(TOGETHER_MS, undefined, { signal }).then(() => {
    batches.delete(project);
    return enable(client, project, names, signal);
  });
  const batch = { names, done };
  batches.set(project, batch);
  return batch;
}

async function enable(
  client: GoogleClient,
  project: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const [only = ""] = names;
  const [method, body] =
    names.length === 1
      ? [`services/${only}:enable`, {}]
      : ["services:batchEnable", { serviceIds: [...names] }];
  const operation = await client.send({
    api: "serviceUsage",
    method: "POST",
    path: `projects/${project}/${method}`,
    body,
    signal,
  });
  await operationDone(client, "serviceUsage", operation, "api to enable", signal);
}

/** The enabled services: `artifactregistry.googleapis.com`, ... */
async function enabled(client: GoogleClient, project: string, signal: AbortSignal): Promise<Set<string>> {
  const names = new Set<string>();
  let page = "";
  do {
    const answer = await client.send({
      api: "serviceUsage",
      method: "GET",
      path: `projects/${project}/services`,
      query: {
        fields: "services/name,nextPageToken",
        filter: "state:ENABLED",
        pageSize: "200",
        ...(page === "" ? {} : { pageToken: page }),
      },
      signal,
    });
    const services = Array.isArray(answer["services"]) ? answer["services"] : [];
    for (const entry of services) names.add(text(record({ entry }, "entry"), "name").split("/").at(-1) ?? "");
    page = text(answer, "nextPageToken");
  } while (page !== "");
  return names;
}

/** The same, and reads the project, because the real plugin needs its number. */
async function enabledNow(client: GoogleClient, project: string, signal: AbortSignal): Promise<Set<string>> {
  const names = await enabled(client, project, signal);
  await client.send({ api: "resourceManager", method: "GET", path: `projects/${project}`, signal });
  return names;
}

/** Polls until the service is listed, as the real plugin does. */
async function listed(
  client: GoogleClient,
  project: string,
  signal: AbortSignal,
  name: string,
): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    if ((await enabledNow(client, project, signal)).has(name)) return;
    await client.pause(signal);
  }
  throw new Error(`service ${name} was enabled in project ${project}, but is still not listed as enabled`);
}
