import { artifactRegistry } from "../../google/apis.ts";
import { repositoryName } from "../../google/full-names.ts";
import type { Place } from "../../settings/place.ts";
import { googleLogin } from "../../google/own-login.ts";
import { type Content, readContent } from "./content.ts";
import { refusalText } from "./error-text.ts";

const token = process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";

/**
 * Reads a repository with the caller's login.
 *
 * @throws one error with the reason and the command that fixes it.
 */
export async function readRepository(place: Place): Promise<Content> {
  const name = repositoryName(place.project, place.location, place.repositoryId);
  const endpoint = process.env[artifactRegistry.variable] ?? artifactRegistry.endpoint;
  try {
    return await readContent(await googleLogin(), endpoint, name);
  } catch (error) {
    throw new Error(refusalText(error, place, token !== ""), { cause: error });
  }
}
