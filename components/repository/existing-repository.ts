import { getRepository } from "@pulumi/gcp/artifactregistry/getRepository.js";
import { messageOf } from "../../problems/wording.ts";
import { repositoryName, type RepositoryPlace } from "../../google/full-names.ts";
import { problemsError } from "../../problems/problem.ts";
import { PULUMI } from "../../problems/setting-commands.ts";

/**
 * Reads the URL of a repository that another stack manages, without a scheme. Previews read it too.
 * @throws if the repository does not exist or the caller has no permission to read it.
 */
export async function existingRepositoryUrl(place: RepositoryPlace): Promise<string> {
  const { project, location, repositoryId } = place;
  try {
    return (await getRepository({ project, location, repositoryId })).registryUri;
  } catch (error) {
    throw problemsError([
      {
        where: repositoryName(place),
        found: `the repository cannot be read: ${reason(error)}`,
        allowed:
          "a repository that its stack has created and that you have permission to read (roles/artifactregistry.reader)",
        fix: `${PULUMI} up --stack production`,
      },
    ]);
  }
}

/** The plugin's message on one line, without the prefixes of SDK and plugin. */
function reason(error: unknown): string {
  const text = messageOf(error);
  return text
    .replace(/^.*1 error occurred:\s*\*/s, "")
    .replace(/\s+/g, " ")
    .trim();
}
