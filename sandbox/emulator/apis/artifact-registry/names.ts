import { ApiError } from "../../support/http/errors.ts";
import type { Params } from "../../support/http/route.ts";
import { LOCATION } from "../../support/store.ts";

/** The API's name. */
export const service = "artifactregistry.googleapis.com";

/** Path of the routes of one repository. */
export const REPOSITORY_PATH = "v1/projects/{project}/locations/{location}/repositories/{repository}";

/** `projects/P/locations/L`; throws 403 for a location without a registry, as Google does. */
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

/** A repository's name as the registry has it: `P/R`. */
export function registryPath(name: string): string {
  const [, project, , , , repository] = name.split("/");
  return `${project ?? ""}/${repository ?? ""}`;
}
