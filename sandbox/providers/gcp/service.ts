import { setTimeout as sleep } from "node:timers/promises";
import type { Shape } from "../rpc/shape.ts";
import { isRecord, type Properties, text } from "../rpc/values.ts";
import { type Calls, callsOf } from "./calls.ts";
import { type Definition, idParts } from "./define.ts";

const shape: Shape = {
  service: { kind: "string", required: true, replaces: true },
  project: { kind: "string", replaces: true, computed: true },
  disableOnDestroy: { kind: "boolean", required: true, only: false },
};

/** `gcp.projects.Service`: an API, enabled in a project. */
export const service: Definition = {
  type: "gcp:projects/service:Service",
  noun: "Project Service",
  api: "serviceUsage",
  shape,
  wanted: (inputs, client) => ({ ...inputs, project: client.project(inputs) }),
  preview: (wanted) => outputsOf(wanted),
  async create(wanted, calls) {
    const project = text(wanted, "project");
    const name = text(wanted, "service");
    const made = { id: `${project}/${name}`, outputs: outputsOf(wanted) };
    if ((await enabled(calls, project)).has(name)) return made;
    await enableTogether(calls, project, name);
    await listed(calls, project, name);
    return made;
  },
  async read(id, old, calls) {
    const { project = "", service: name = "" } = idParts("{project}/{service}", id);
    if (!(await enabledNow(calls, project)).has(name)) return undefined;
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
async function enableTogether(calls: Calls, project: string, name: string): Promise<void> {
  const batch = batches.get(project) ?? startBatch(calls, project);
  batch.names.push(name);
  try {
    await batch.done;
  } catch (error) {
    if (batch.names.length === 1) throw error;
    await enable(calls, project, [name]);
  }
}

function startBatch(calls: Calls, project: string): Batch {
  const names: string[] = [];
  const done = sleep(TOGETHER_MS, undefined, { signal: calls.signal }).then(() => {
    batches.delete(project);
    return enable(calls, project, names);
  });
  const batch = { names, done };
  batches.set(project, batch);
  return batch;
}

async function enable(calls: Calls, project: string, names: readonly string[]): Promise<void> {
  const services = `projects/${project}/services`;
  const started =
    names.length === 1
      ? calls.post(`${services}/${names[0] ?? ""}:enable`, {})
      : calls.post(`${services}:batchEnable`, { serviceIds: [...names] });
  await calls.done(started, "api to enable");
}

/** The enabled services: `artifactregistry.googleapis.com`, ... */
async function enabled(calls: Calls, project: string): Promise<Set<string>> {
  const names = new Set<string>();
  let page = "";
  do {
    const answer = await calls.get(`projects/${project}/services`, {
      fields: "services/name,nextPageToken",
      filter: "state:ENABLED",
      pageSize: "200",
      ...(page === "" ? {} : { pageToken: page }),
    });
    const services = Array.isArray(answer["services"]) ? answer["services"].filter(isRecord) : [];
    for (const entry of services) names.add(text(entry, "name").split("/").at(-1) ?? "");
    page = text(answer, "nextPageToken");
  } while (page !== "");
  return names;
}

/** The same, and reads the project, because the real plugin needs its number. */
async function enabledNow(calls: Calls, project: string): Promise<Set<string>> {
  const names = await enabled(calls, project);
  await callsOf(calls.client, "resourceManager", calls.signal).get(`projects/${project}`);
  return names;
}

/** Polls until the service is listed, as the real plugin does. */
async function listed(calls: Calls, project: string, name: string): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    if ((await enabledNow(calls, project)).has(name)) return;
    await calls.pause();
  }
  throw new Error(`service ${name} was enabled in project ${project}, but is still not listed as enabled`);
}
