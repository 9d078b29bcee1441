import { z } from "zod";
import { noFields } from "../../support/http/body.ts";
import { ApiError, invalidArgument } from "../../support/http/errors.ts";
import { page } from "../../support/http/paging.ts";
import { methodsOf, type Route } from "../../support/http/route.ts";
import { startOperation } from "../../support/operations.ts";
import { projectOf } from "../../support/projects.ts";
import type { Operation, Project } from "../../support/resources.ts";
import { SERVICES, serviceTitle } from "../../support/service-names.ts";
import type { Context } from "../../support/context.ts";

const api = methodsOf("serviceusage.googleapis.com");
const SERVICES_PATH = "v1/projects/{project}/services";

/** A service in the response of an operation. */
function described(project: Project, name: string): Record<string, unknown> {
  return {
    name: `projects/${project.projectNumber}/services/${name}`,
    parent: `projects/${project.projectNumber}`,
    state: project.services.includes(name) ? "ENABLED" : "DISABLED",
  };
}

/** A service in the answer to GET. */
function resource(project: Project, name: string): Record<string, unknown> {
  return { ...described(project, name), config: { name, title: serviceTitle(name) } };
}

/** An operation with this response. Operations of this API have empty metadata. */
function operation(context: Context, message: string, fields: object): Operation {
  return startOperation(context, {
    under: "operations",
    metadata: { "@type": "type.googleapis.com/google.protobuf.Empty", value: {} },
    response: { "@type": `type.googleapis.com/google.api.serviceusage.v1.${message}`, ...fields },
  });
}

const batchBody = z.strictObject({ serviceIds: z.array(z.string("TYPE_STRING")).default([]) });

const disableBody = z.strictObject({
  disableDependentServices: z.boolean("TYPE_BOOL").optional(),
  checkIfServiceHasUsage: z.string("TYPE_STRING").optional(),
});

function checkKnown(names: string[]): void {
  const unknown = names.filter((name) => !Object.hasOwn(SERVICES, name));
  if (unknown.length > 0)
    throw new ApiError(
      "PERMISSION_DENIED",
      `Not found or permission denied for service(s): ${unknown.join(", ")}.`,
    );
}

function enable(context: Context, project: Project, names: string[]): void {
  checkKnown(names);
  context.store.change(() => {
    project.services = [...new Set([...project.services, ...names])].sort();
  });
}

/** Service Usage v1 (https://cloud.google.com/service-usage/docs/reference/rest). */
export const routes: Route[] = [
  api.get(SERVICES_PATH, "serviceusage.services.list", ({ context, params, query }) => {
    const project = projectOf(context, params);
    const all = Object.keys(SERVICES).map((name) => resource(project, name));
    const filter = query.get("filter") ?? "";
    const state = /^state:(ENABLED|DISABLED)$/.exec(filter)?.[1];
    if (filter !== "" && state === undefined) throw invalidArgument(`Invalid filter: ${filter}`, "filter");
    const matching = all.filter((each) => state === undefined || each["state"] === state);
    return page("services", matching, query, 200);
  }),
  api.post(
    `${SERVICES_PATH}:batchEnable`,
    "serviceusage.services.enable",
    batchBody,
    ({ context, params, body }) => {
      const project = projectOf(context, params);
      enable(context, project, body.serviceIds);
      const services = body.serviceIds.map((name) => described(project, name));
      return operation(context, "BatchEnableServicesResponse", { services });
    },
  ),
  api.get(`${SERVICES_PATH}/{name}`, "serviceusage.services.get", ({ context, params }) => {
    checkKnown([params["name"] ?? ""]);
    return resource(projectOf(context, params), params["name"] ?? "");
  }),
  api.post(
    `${SERVICES_PATH}/{name}:enable`,
    "serviceusage.services.enable",
    noFields,
    ({ context, params }) => {
      const project = projectOf(context, params);
      const name = params["name"] ?? "";
      enable(context, project, [name]);
      return operation(context, "EnableServiceResponse", { service: described(project, name) });
    },
  ),
  api.post(
    `${SERVICES_PATH}/{name}:disable`,
    "serviceusage.services.disable",
    disableBody,
    ({ context, params }) => {
      const project = projectOf(context, params);
      const name = params["name"] ?? "";
      checkKnown([name]);
      context.store.change(() => {
        project.services = project.services.filter((each) => each !== name);
      });
      return operation(context, "DisableServiceResponse", { service: described(project, name) });
    },
  ),
];
