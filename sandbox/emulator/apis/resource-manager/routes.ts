import type { Context } from "../../support/context.ts";
import { isAllowed } from "../../support/policies/access.ts";
import { policyRoutes, testPermissionsRoute } from "../../support/policies/policy-routes.ts";
import { noFields } from "../../support/http/body.ts";
import { page } from "../../support/http/paging.ts";
import { ANY_CALLER, methodsOf, type Params, type Route } from "../../support/http/route.ts";
import { projectOf } from "../../support/projects.ts";
import type { Project } from "../../support/resources.ts";
import { ORGANIZATION } from "../../support/store.ts";

const api = methodsOf("cloudresourcemanager.googleapis.com");

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

const projectName = (_: Context, { project = "" }: Params): string => `projects/${project}`;

function getRoute(version: "v1" | "v3", answer: (project: Project) => object): Route {
  return api.get(`${version}/projects/{project}`, "resourcemanager.projects.get", ({ context, params }) =>
    answer(projectOf(context, params)),
  );
}

/** The projects that the caller may see. */
function listRoute(path: string, answer: (project: Project) => object): Route {
  return api.get(path, ANY_CALLER, ({ context, query, caller }) => {
    const visible = Object.values(context.store.state.projects).filter((project) =>
      isAllowed(context, caller, "resourcemanager.projects.get", `projects/${project.projectId}`),
    );
    return page("projects", visible.map(answer), query);
  });
}

/** Resource Manager v1 and v3, of projects (https://cloud.google.com/resource-manager/reference/rest). */
export const routes: Route[] = [
  getRoute("v1", projectV1),
  getRoute("v3", projectV3),
  listRoute("v1/projects", projectV1),
  listRoute("v3/projects:search", projectV3),
  ...["v1/projects/{project}", "v3/projects/{project}"].flatMap((path) => [
    ...policyRoutes(api, path, "resourcemanager.projects", projectName, "POST"),
    testPermissionsRoute(api, path, projectName),
  ]),
  api.post("v1/projects/{project}:getAncestry", "resourcemanager.projects.get", noFields, ({ params }) => ({
    ancestor: [
      { resourceId: { type: "project", id: params["project"] } },
      { resourceId: { type: "organization", id: ORGANIZATION.split("/")[1] } },
    ],
  })),
];
