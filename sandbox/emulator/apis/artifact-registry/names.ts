import { ApiError } from "../../support/http/errors.ts";
import { methodsOf, type Params } from "../../support/http/route.ts";
import { LOCATION } from "../../support/store.ts";

const SERVICE = "artifactregistry.googleapis.com";

/** The API's methods on projects, on a location, and on a repository, which has a policy of its own. */
export const onProject = methodsOf(SERVICE);
export const onLocation = methodsOf(SERVICE, locationName);
export const onRepository = methodsOf(SERVICE, repositoryName);

export const REPOSITORIES_PATH = "v1/projects/{project}/locations/{location}/repositories";
export const REPOSITORY_PATH = `${REPOSITORIES_PATH}/{repository}`;

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
