import { artifactRegistry } from "../../google/apis.ts";
import { repositoryName, type RepositoryPlace } from "../../google/full-names.ts";
import { googleLogin } from "../../google/own-login.ts";
import { type Content, readContent } from "./content.ts";
import { refusalText } from "./error-text.ts";

const token = process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";

/**
 * Reads a repository with the caller's login.
 *
 * @throws one error with the reason and the command that fixes it.
 */
export async function readRepository(place: RepositoryPlace): Promise<Content> {
  const name = repositoryName(place);
  const endpoint = process.env[artifactRegistry.variable] ?? artifactRegistry.endpoint;
  try {
    return await readContent(await googleLogin(), endpoint, name);
  } catch (error) {
    throw new Error(refusalText(error, place, token !== ""), { cause: error });
  }
}
