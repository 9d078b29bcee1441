import { isAllowed } from "../../support/policies/access.ts";
import {
  getPolicy,
  getPolicyBody,
  setPolicy,
  setPolicyBody,
  testPermissionsBody,
} from "../../support/policies/policies.ts";
import { page } from "../../support/http/paging.ts";
import { type Params, route, type Route } from "../../support/http/route.ts";
import { projectOf } from "../../support/projects.ts";
import type { Project } from "../../support/resources.ts";
import { ORGANIZATION } from "../../support/store.ts";
import { z } from "zod";

const service = "cloudresourcemanager.googleapis.com";

function projectV1(project: Project): object {
  return {
    projectNumber: project.projectNumber,
    projectId: project.projectId,
    lifecycleState: "ACTIVE",
    name: project.name,
    createTime: project.createTime,
    parent: { type: "organization", id: ORGANIZATION.split("/")[1] },
  };
}

function projectV3(project: Project): object {
  return {
    name: `projects/${project.projectNumber}`,
    parent: ORGANIZATION,
    projectId: project.projectId,
    state: "ACTIVE",
    displayName: project.name,
    createTime: project.createTime,
    updateTime: project.createTime,
    etag: 'W/"2a6b1f0c"',
  };
}

const name = (params: Params): string => `projects/${params["project"] ?? ""}`;

function policyRoutes(version: "v1" | "v3"): Route[] {
  return [
    route({
      method: "POST",
      path: `${version}/projects/{project}:getIamPolicy`,
      service,
      permission: "resourcemanager.projects.getIamPolicy",
      body: getPolicyBody,
      handle: ({ context, params }) => getPolicy(context, name(params)),
    }),
    route({
      method: "POST",
      path: `${version}/projects/{project}:setIamPolicy`,
      service,
      permission: "resourcemanager.projects.setIamPolicy",
      body: setPolicyBody,
      handle: ({ context, params, body }) => setPolicy(context, name(params), body),
    }),
    route({
      method: "POST",
      path: `${version}/projects/{project}:testIamPermissions`,
      service,
      body: testPermissionsBody,
      handle: ({ context, params, body, caller }) => {
        const permissions = body.permissions.filter((each) => isAllowed(context, caller, each, name(params)));
        return permissions.length > 0 ? { permissions } : {};
      },
    }),
  ];
}

function getRoute(version: "v1" | "v3", answer: (project: Project) => object): Route {
  return route({
    method: "GET",
    path: `${version}/projects/{project}`,
    service,
    permission: "resourcemanager.projects.get",
    handle: ({ context, params }) => answer(projectOf(context, params)),
  });
}

/** The projects that the caller may see. */
function listRoute(method: string, path: string, answer: (project: Project) => object): Route {
  return route({
    method: "GET",
    path,
    service,
    handle: ({ context, query, caller }) => {
      const visible = Object.values(context.store.state.projects).filter((project) =>
        isAllowed(context, caller, "resourcemanager.projects.get", `projects/${project.projectId}`),
      );
      return page(method, visible.map(answer), query);
    },
  });
}

/** Resource Manager v1 and v3, of projects (https://cloud.google.com/resource-manager/reference/rest). */
export const routes: Route[] = [
  getRoute("v1", projectV1),
  getRoute("v3", projectV3),
  listRoute("projects", "v1/projects", projectV1),
  listRoute("projects", "v3/projects:search", projectV3),
  ...policyRoutes("v1"),
  ...policyRoutes("v3"),
  route({
    method: "POST",
    path: "v1/projects/{project}:getAncestry",
    service,
    permission: "resourcemanager.projects.get",
    body: z.strictObject({}),
    handle: ({ params }) => ({
      ancestor: [
        { resourceId: { type: "project", id: params["project"] } },
        { resourceId: { type: "organization", id: ORGANIZATION.split("/")[1] } },
      ],
    }),
  }),
];
