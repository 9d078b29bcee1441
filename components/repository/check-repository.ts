import { z } from "zod";
import { artifactRegistry } from "../../google/apis.ts";
import { checkOwnership, type ImportAction } from "../../google/check-ownership.ts";
import type { FoundResource } from "../../google/existence.ts";
import { repositoryName, type RepositoryPlace } from "../../google/full-names.ts";
import type { Outputs } from "../../google/last-outputs.ts";
import type { Checked } from "../../problems/checks.ts";
import { configSet } from "../../problems/setting-commands.ts";

const repository = z.object({
  format: z.string().default("unknown"),
  mode: z.string().default("STANDARD_REPOSITORY"),
  kmsKeyName: z.string().default(""),
  createTime: z.string().default("an unknown time"),
  sizeBytes: z.coerce.number().default(0),
});

/** Checks whether the repository exists, who owns it, and whether it can be imported without a replacement. */
export function checkRepository(
  place: RepositoryPlace,
  outputs: Outputs,
  adoptExisting: boolean,
): Promise<Checked<ImportAction>> {
  const { project, location, repositoryId } = place;
  return checkOwnership(
    {
      api: artifactRegistry,
      name: repositoryName(place),
      kind: "a repository",
      isInLastOutputs: isUrlOf(place, outputs["registryUrl"]),
      describe: describeRepository,
      immutableDifferences,
      renameCommand: configSet("repositoryId", "NAME"),
      disownCommand: `gcloud artifacts repositories update ${repositoryId} --project=${project} --location=${location} --description=`,
    },
    adoptExisting,
  );
}

/** Every registry's URL ends with project and repository. Google's URLs also begin with the region. */
function isUrlOf({ project, location, repositoryId }: RepositoryPlace, url: unknown): boolean {
  if (typeof url !== "string" || !url.endsWith(`/${project}/${repositoryId}`)) return false;
  const region = /^(.+)-docker\.pkg\.dev\//.exec(url)?.[1];
  return region === undefined || region === location;
}

function describeRepository(found: FoundResource): string[] {
  const { format, mode, createTime, sizeBytes } = repository.parse(found);
  return [
    `format ${format}, mode ${mode}`,
    `created at ${createTime}`,
    `${(sizeBytes / 1e6).toFixed(0)} MB`,
    ...immutableDifferences(found),
  ];
}

/** Source: https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories/patch */
function immutableDifferences(found: FoundResource): string[] {
  const { format, mode, kmsKeyName } = repository.parse(found);
  return [
    ...(format === "DOCKER" ? [] : [`the format ${format} instead of DOCKER`]),
    ...(mode === "STANDARD_REPOSITORY" ? [] : [`the mode ${mode} instead of STANDARD_REPOSITORY`]),
    ...(kmsKeyName === "" ? [] : [`the customer-managed key ${kmsKeyName}`]),
  ];
}
