import type { Context } from "../../support/context.ts";
import { policyRoutes } from "../../support/policies/policy-routes.ts";
import { methodsOf, type Params, type Route } from "../../support/http/route.ts";
import { projectOf } from "../../support/projects.ts";
import type { Project } from "../../support/resources.ts";
import { ORGANIZATION } from "../../support/store.ts";

const api = methodsOf("cloudresourcemanager.googleapis.com");

function answer(project: Project): object {
  return {
    projectNumber: project.projectNumber,
    projectId: project.projectId,
    lifecycleState: "ACTIVE",
    name: project.name,
    createTime: project.createTime,
    parent: { type: "organization", id: ORGANIZATION.split("/")[1] },
  };
}

const projectName = (_: Context, { project = "" }: Params): string => `projects/${project}`;

const PROJECT_PATH = "v1/projects/{project}";

/** Projects of Resource Manager v1 (https://cloud.google.com/resource-manager/reference/rest). */
export const routes: Route[] = [
  api.get(PROJECT_PATH, "resourcemanager.projects.get", ({ context, params }) =>
    answer(projectOf(context, params)),
  ),
  ...policyRoutes(api, PROJECT_PATH, "resourcemanager.projects", projectName, "POST"),
];
