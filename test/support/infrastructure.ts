import { join } from "node:path";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";

/** Each infrastructure image of docker-compose.yml: the variable that names another, and the folder of its fake. */
const IMAGES = [
  { name: "mongo:7.0", variable: "MONGODB_IMAGE", folder: "mongo" },
  { name: "qdrant/qdrant:v1.18.3", variable: "QDRANT_IMAGE", folder: "qdrant" },
  {
    name: "ghcr.io/huggingface/text-embeddings-inference:cpu-latest",
    variable: "EMBEDDING_IMAGE",
    folder: "text-embeddings-inference",
  },
];

/**
 * Builds fakes of MongoDB, Qdrant and the embedding service under the very names of their images, so that Compose finds
 * them without a pull. An image of the user's own engine is left alone; the fake has a name of its own there.
 *
 * @param docker runs `docker`, and fails unless it succeeds
 * @returns the variables by which docker-compose.yml finds those with a name of their own
 */
export async function fakeInfrastructure(
  docker: (...args: string[]) => Promise<string>,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const { name, variable, folder } of IMAGES) {
    const found = await docker("image", "ls", "--quiet", name);
    const fake = await docker("image", "ls", "--quiet", "--filter", "label=hyperion.fake", name);
    const tag = found === fake ? name : `hyperion-fake-${folder}:local`;
    await docker("build", "--quiet", "--tag", tag, join(repositoryRoot, "sandbox/infrastructure", folder));
    if (tag !== name) variables[variable] = tag;
  }
  return variables;
}
