import { notFound } from "./http/errors.ts";
import type { Params } from "./http/route.ts";
import type { Project } from "./resources.ts";
import type { Context } from "./context.ts";

/** Finds a project by id or number. */
export function findProject(context: Context, name: string): Project | undefined {
  return Object.values(context.store.state.projects).find(
    ({ projectId, projectNumber }) => projectId === name || projectNumber === name,
  );
}

/** The project of a route's `{project}`. @throws ApiError 404 */
export function projectOf(context: Context, params: Params): Project {
  const project = findProject(context, params["project"] ?? "");
  if (!project) throw notFound();
  return project;
}
