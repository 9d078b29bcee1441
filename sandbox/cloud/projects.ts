import { notFound } from "./http/errors";
import type { Params } from "./http/route";
import type { Project } from "./resources";
import type { World } from "./world";

/** The project with this id or number. */
export function findProject(world: World, name: string): Project | undefined {
  return Object.values(world.store.state.projects).find(
    ({ projectId, projectNumber }) => projectId === name || projectNumber === name,
  );
}

/** The project of a route's `{project}`. */
export function projectOf(world: World, params: Params): Project {
  const project = findProject(world, params["project"] ?? "");
  if (!project) throw notFound();
  return project;
}
