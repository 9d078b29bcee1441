import { z } from "zod";
import { artifactRegistry } from "../../google/apis.ts";
import { checkOwnership, type Fate } from "../../google/check-ownership.ts";
import type { Found } from "../../google/existence.ts";
import { repositoryName } from "../../google/full-names.ts";
import type { Outputs } from "../../google/last-outputs.ts";
import type { Checked } from "../../problems/checks.ts";
import { configSet } from "../../problems/setting-commands.ts";

/** Where a repository is. */
export interface RepositoryPlace {
  project: string;
  location: string;
  repositoryId: string;
}

const repository = z.object({
  format: z.string().default("unknown"),
  mode: z.string().default("STANDARD_REPOSITORY"),
  kmsKeyName: z.string().default(""),
  createTime: z.string().default("an unknown time"),
  sizeBytes: z.coerce.number().default(0),
});

/**
 * Looks whether the repository exists already, whose it is, and whether it could be taken over in place: a key of the
 * customer's, another format and another mode only a replacement would change.
 * Source: https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories/patch
 */
export function checkRepository(
  place: RepositoryPlace,
  outputs: Outputs,
  adoptExisting: boolean,
): Promise<Checked<Fate>> {
  const { project, location, repositoryId } = place;
  return checkOwnership(
    {
      api: artifactRegistry,
      name: repositoryName(project, location, repositoryId),
      kind: "a repository",
      isNamed: isAt(place, outputs["registryUrl"]),
      tell: told,
      unlike,
      anotherOne: configSet("repositoryId", "NAME"),
      unmark: `gcloud artifacts repositories update ${repositoryId} --project=${project} --location=${location} --description=`,
    },
    adoptExisting,
  );
}

/** Google's own addresses begin with the region; each registry's ends with project and repository. */
function isAt({ project, location, repositoryId }: RepositoryPlace, url: unknown): boolean {
  if (typeof url !== "string" || !url.endsWith(`/${project}/${repositoryId}`)) return false;
  const region = /^(.+)-docker\.pkg\.dev\//.exec(url)?.[1];
  return region === undefined || region === location;
}

function told(found: Found): string[] {
  const { format, mode, createTime, sizeBytes } = repository.parse(found);
  return [
    `format ${format}, mode ${mode}`,
    `made at ${createTime}`,
    `${(sizeBytes / 1e6).toFixed(0)} MB`,
    ...unlike(found),
  ];
}

function unlike(found: Found): string[] {
  const { format, mode, kmsKeyName } = repository.parse(found);
  return [
    ...(format === "DOCKER" ? [] : [`the format ${format} instead of DOCKER`]),
    ...(mode === "STANDARD_REPOSITORY" ? [] : [`the mode ${mode} instead of STANDARD_REPOSITORY`]),
    ...(kmsKeyName === "" ? [] : [`the customer-managed key ${kmsKeyName}`]),
  ];
}
