import { join } from "node:path";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";

/** The infrastructure images of docker-compose.yml, with the variable that replaces each and the folder of its fake. */
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
 * Builds fakes of MongoDB, Qdrant and the embedding service with the names of the real images, so that Compose does not pull
 * these. If the engine has a real image, its fake gets another name.
 *
 * @param docker runs `docker`; rejects on failure.
 * @returns variables for docker-compose.yml with those other names.
 */
export async function fakeInfrastructure(
  docker: (...args: string[]) => Promise<string>,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  const list = async (...filter: string[]) =>
    (await docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", ...filter)).split("\n");
  const [found, fakes] = [await list(), await list("--filter", "label=hyperion.fake")];
  for (const { name, variable, folder } of IMAGES) {
    const isReal = found.includes(name) && !fakes.includes(name);
    const tag = isReal ? `hyperion-fake-${folder}:local` : name;
    await docker("build", "--quiet", "--tag", tag, join(repositoryRoot, "sandbox/infrastructure", folder));
    if (isReal) variables[variable] = tag;
  }
  return variables;
}
