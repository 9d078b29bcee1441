import { ApiError } from "../../support/http/errors.ts";
import { methodsOf, type Params } from "../../support/http/route.ts";
import { LOCATION } from "../../support/store.ts";

const SERVICE = "artifactregistry.googleapis.com";

/** Routes, by the resource whose policy is checked. */
export const onProject = methodsOf(SERVICE);
export const onLocation = methodsOf(SERVICE, locationName);
export const onRepository = methodsOf(SERVICE, repositoryName);

export const REPOSITORIES_PATH = "v1/projects/{project}/locations/{location}/repositories";
export const REPOSITORY_PATH = `${REPOSITORIES_PATH}/{repository}`;

/** `projects/P/locations/L`. @throws ApiError 403, as Google does, for another location. */
export function locationName(params: Params): string {
  const location = params["location"] ?? "";
  if (location !== LOCATION)
    throw new ApiError(
      "PERMISSION_DENIED",
      `Permission denied on 'locations/${location}' (or it may not exist).`,
    );
  return `projects/${params["project"] ?? ""}/locations/${location}`;
}

/** `projects/P/locations/L/repositories/R`. */
export function repositoryName(params: Params): string {
  return `${locationName(params)}/repositories/${params["repository"] ?? ""}`;
}

/** A repository's name in the registry: `P/R`. */
export function registryPath(name: string): string {
  const [, project, , , , repository] = name.split("/");
  return `${project ?? ""}/${repository ?? ""}`;
}
