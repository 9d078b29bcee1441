import { getRepository } from "@pulumi/gcp/artifactregistry/getRepository.js";
import { messageOf } from "../../problems/wording.ts";
import { repositoryName } from "../../google/full-names.ts";
import { problemsError } from "../../problems/problem.ts";
import { PULUMI } from "../../problems/setting-commands.ts";

/** A repository that another stack manages. */
export interface ExistingRepositoryArgs {
  project: string;
  location: string;
  repositoryId: string;
}

/**
 * Where the images of a repository that exists already are pushed and pulled, without a scheme; asked at preview too.
 * @throws where it does not exist, or may not be read.
 */
export async function existingRepositoryUrl(args: ExistingRepositoryArgs): Promise<string> {
  const { project, location, repositoryId } = args;
  try {
    return (await getRepository({ project, location, repositoryId })).registryUri;
  } catch (error) {
    throw problemsError([
      {
        where: repositoryName(project, location, repositoryId),
        found: `the repository cannot be read: ${reason(error)}`,
        allowed:
          "one that the stack which manages it has made, and that you may read (roles/artifactregistry.reader)",
        fix: `${PULUMI} up --stack production`,
      },
    ]);
  }
}

/** What the plugin says, on one line, without what the SDK and the plugin put before it. */
function reason(error: unknown): string {
  const text = messageOf(error);
  return text
    .replace(/^.*1 error occurred:\s*\*/s, "")
    .replace(/\s+/g, " ")
    .trim();
}
