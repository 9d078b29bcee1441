import type { Shape } from "../rpc/shape.ts";
import { type Properties, record, text } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";
import { type Definition, idParts } from "./define.ts";
import { operationDone } from "./operation.ts";

const shape: Shape = {
  service: { kind: "string", required: true, replaces: true },
  project: { kind: "string", replaces: true, computed: true },
  disableOnDestroy: { kind: "boolean" },
  disableDependentServices: { kind: "boolean" },
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
    const operation = await client.send({
      api: "serviceUsage",
      method: "POST",
      path: `projects/${project}/services/${name}:enable`,
      query: plainAnswer,
      body: {},
      signal,
    });
    if (text(operation, "name") !== "") {
      await operationDone(client, "serviceUsage", operation, `api to enable`, signal);
    }
    await listed(client, project, signal, name);
    return { id, outputs: outputsOf(wanted) };
  },
  async read(id, old, client, { signal }) {
    const { project = client.project({}), service: name = "" } = idParts(
      id,
      [/^(?:projects\/)?(?<project>[^/]+)\/(?:services\/)?(?<service>[^/]+)$/, /^(?<service>[^/]+)$/],
      "PROJECT/SERVICE",
    );
    const list = await enabled(client, project, signal);
    await getProject(client, project, signal);
    if (!list.has(name)) return undefined;
    return { id: `${project}/${name}`, outputs: outputsOf({ ...old?.outputs, project, service: name }) };
  },
  update: (_old, wanted) => Promise.resolve(outputsOf(wanted)),
  async delete({ outputs }, client, { signal }) {
    if (outputs["disableOnDestroy"] !== true) return;
    const operation = await client.send({
      api: "serviceUsage",
      method: "POST",
      path: `projects/${text(outputs, "project")}/services/${text(outputs, "service")}:disable`,
      query: plainAnswer,
      body: { disableDependentServices: outputs["disableDependentServices"] === true },
      signal,
    });
    if (text(operation, "name") !== "")
      await operationDone(client, "serviceUsage", operation, "api to disable", signal);
  },
};

const plainAnswer = { prettyPrint: "false" };

function outputsOf(wanted: Properties): Properties {
  return {
    checkIfServiceHasUsageOnDestroy: null,
    deletionPolicy: "DELETE",
    disableDependentServices: wanted["disableDependentServices"] ?? null,
    disableOnDestroy: wanted["disableOnDestroy"] ?? null,
    project: wanted["project"] ?? null,
    service: wanted["service"] ?? null,
  };
}

/** The names of the enabled services: `artifactregistry.googleapis.com`, ... */
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
        ...plainAnswer,
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

async function getProject(client: GoogleClient, project: string, signal: AbortSignal): Promise<void> {
  await client.send({
    api: "resourceManager",
    method: "GET",
    path: `projects/${project}`,
    query: plainAnswer,
    signal,
  });
}

/** Looks again until the service is listed, as the real plugin does: enabling takes a while to show. */
async function listed(
  client: GoogleClient,
  project: string,
  signal: AbortSignal,
  name: string,
): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const list = await enabled(client, project, signal);
    await getProject(client, project, signal);
    if (list.has(name)) return;
    await client.pause(signal);
  }
  throw new Error(`service ${name} was enabled in project ${project}, but is still not listed as enabled`);
}
