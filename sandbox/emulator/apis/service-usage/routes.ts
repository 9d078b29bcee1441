import { z } from "zod";
import { ApiError, invalidArgument } from "../../support/http/errors.ts";
import { page } from "../../support/http/paging.ts";
import { route, type Route } from "../../support/http/route.ts";
import { startOperation } from "../../support/operations.ts";
import { projectOf } from "../../support/projects.ts";
import type { Project } from "../../support/resources.ts";
import { SERVICES, serviceTitle } from "../../support/service-names.ts";
import type { Context } from "../../support/context.ts";

const service = "serviceusage.googleapis.com";

/** A service as operations end in it. */
function described(project: Project, name: string): Record<string, unknown> {
  return {
    name: `projects/${project.projectNumber}/services/${name}`,
    parent: `projects/${project.projectNumber}`,
    state: project.services.includes(name) ? "ENABLED" : "DISABLED",
  };
}

/** A service as it is answered to those who ask for it. */
function resource(project: Project, name: string): Record<string, unknown> {
  return { ...described(project, name), config: { name, title: serviceTitle(name) } };
}

/** Operations of this API tell nothing of themselves. */
const METADATA = { "@type": "type.googleapis.com/google.protobuf.Empty", value: {} };

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
  route({
    method: "GET",
    path: "v1/projects/{project}/services",
    service,
    permission: "serviceusage.services.list",
    handle: ({ context, params, query }) => {
      const project = projectOf(context, params);
      const all = Object.keys(SERVICES).map((name) => resource(project, name));
      const filter = query.get("filter") ?? "";
      const state = /^state:(ENABLED|DISABLED)$/.exec(filter)?.[1];
      if (filter !== "" && state === undefined) throw invalidArgument(`Invalid filter: ${filter}`, "filter");
      return page(
        "services",
        state === undefined ? all : all.filter((each) => each["state"] === state),
        query,
        200,
      );
    },
  }),
  route({
    method: "GET",
    path: "v1/projects/{project}/services:batchGet",
    service,
    permission: "serviceusage.services.get",
    handle: ({ context, params, query }) => {
      const project = projectOf(context, params);
      const names = query.getAll("names").map((name) => name.split("/").at(-1) ?? "");
      checkKnown(names);
      return { services: names.map((name) => resource(project, name)) };
    },
  }),
  route({
    method: "POST",
    path: "v1/projects/{project}/services:batchEnable",
    service,
    permission: "serviceusage.services.enable",
    body: z.strictObject({ serviceIds: z.array(z.string("TYPE_STRING")).default([]) }),
    handle: ({ context, params, body }) => {
      const project = projectOf(context, params);
      enable(context, project, body.serviceIds);
      return startOperation(context, {
        under: "operations",
        metadata: METADATA,
        response: {
          "@type": "type.googleapis.com/google.api.serviceusage.v1.BatchEnableServicesResponse",
          services: body.serviceIds.map((name) => described(project, name)),
        },
      });
    },
  }),
  route({
    method: "GET",
    path: "v1/projects/{project}/services/{name}",
    service,
    permission: "serviceusage.services.get",
    handle: ({ context, params }) => {
      checkKnown([params["name"] ?? ""]);
      return resource(projectOf(context, params), params["name"] ?? "");
    },
  }),
  route({
    method: "POST",
    path: "v1/projects/{project}/services/{name}:enable",
    service,
    permission: "serviceusage.services.enable",
    body: z.strictObject({}),
    handle: ({ context, params }) => {
      const project = projectOf(context, params);
      const name = params["name"] ?? "";
      enable(context, project, [name]);
      return startOperation(context, {
        under: "operations",
        metadata: METADATA,
        response: {
          "@type": "type.googleapis.com/google.api.serviceusage.v1.EnableServiceResponse",
          service: described(project, name),
        },
      });
    },
  }),
  route({
    method: "POST",
    path: "v1/projects/{project}/services/{name}:disable",
    service,
    permission: "serviceusage.services.disable",
    body: z.strictObject({
      disableDependentServices: z.boolean("TYPE_BOOL").optional(),
      checkIfServiceHasUsage: z.string("TYPE_STRING").optional(),
    }),
    handle: ({ context, params }) => {
      const project = projectOf(context, params);
      const name = params["name"] ?? "";
      checkKnown([name]);
      context.store.change(() => {
        project.services = project.services.filter((each) => each !== name);
      });
      return startOperation(context, {
        under: "operations",
        metadata: METADATA,
        response: {
          "@type": "type.googleapis.com/google.api.serviceusage.v1.DisableServiceResponse",
          service: described(project, name),
        },
      });
    },
  }),
];
