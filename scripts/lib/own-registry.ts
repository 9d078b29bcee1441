import { z } from "zod";
import { ArtifactRegistryTags } from "../../components/images/registry/artifact-registry-tags.ts";
import { googleRegistry, type ImageRegistry } from "../../components/images/registry/image-registry.ts";
import { artifactRegistry } from "../../google/apis.ts";
import { callGoogle, describeAnswer } from "../../google/client.ts";
import { repositoryName, type RepositoryPlace } from "../../google/full-names.ts";
import { lookupError } from "../../google/existence.ts";
import type { StackSettings } from "../../settings/stack-settings.ts";

const repositoryAnswer = z.object({ registryUri: z.string() });

/** The tags of images in a repository, with the caller's Google login. */
export function ownTagStore(repository: RepositoryPlace, images?: readonly string[]): ArtifactRegistryTags {
  return new ArtifactRegistryTags(repository, () => repositoryRegistry(repository), images);
}

/** The repository that a stack's settings name. */
export function stackRepository(settings: StackSettings): RepositoryPlace {
  return {
    project: settings.text("gcp:project"),
    location: settings.text("gcp:region"),
    repositoryId: settings.text("repositoryId"),
  };
}

/** The registry of a repository, with the caller's Google login. */
export async function repositoryRegistry(repository: RepositoryPlace): Promise<ImageRegistry> {
  return googleRegistry(await registryUrl(repository));
}

/** Whether a repository has this registry URL; false if Google does not answer. */
export async function isRegistryOf(repository: RepositoryPlace, url: string): Promise<boolean> {
  try {
    return (await registryUrl(repository)) === url;
  } catch {
    return false;
  }
}

async function registryUrl(repository: RepositoryPlace): Promise<string> {
  const name = repositoryName(repository);
  const answer = await callGoogle(artifactRegistry, name);
  if (answer.status !== 200) throw lookupError(name, `Google answered ${describeAnswer(answer)}`);
  return repositoryAnswer.parse(answer.body).registryUri;
}
