import type { AuthClient } from "google-auth-library";
import { artifactRegistry } from "../../google/apis.ts";
import { repositoryName } from "../../google/full-names.ts";
import type { Place } from "../../settings/place.ts";
import { type Content, readContent } from "./content.ts";
import { refusalText } from "./error-text.ts";

const token = process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";

/**
 * Reads a repository with the caller's own login.
 *
 * @param command what to run again where it cannot be read now.
 * @throws one error that says why it cannot be read, and the command that fixes it.
 */
export async function readRepository(place: Place, command: string): Promise<Content> {
  const name = repositoryName(place.project, place.location, place.repositoryId);
  const endpoint = process.env[artifactRegistry.variable] ?? artifactRegistry.endpoint;
  try {
    return await readContent(await login(), endpoint, name);
  } catch (error) {
    throw new Error(refusalText(error, place, token !== "", command), { cause: error });
  }
}

/** The caller's own credentials: the token that the gcp plugin takes too, else those of gcloud. */
async function login(): Promise<AuthClient> {
  const { GoogleAuth, OAuth2Client } = await import("google-auth-library");
  // Google's own machines are known by their firmware. To ping for one elsewhere ends in a warning of the library's.
  process.env["METADATA_SERVER_DETECTION"] ??= "bios-only";
  if (token === "")
    return new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" }).getClient();
  const client = new OAuth2Client();
  client.setCredentials({ access_token: token });
  return client;
}
