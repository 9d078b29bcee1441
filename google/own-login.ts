import type { AuthClient } from "google-auth-library";
import { problemsError } from "../problems/problem.ts";
import { messageOf } from "../problems/wording.ts";

/** The command that logs in at Google. */
export const LOG_IN = "gcloud auth application-default login";

export const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

let defaultLogin: Promise<AuthClient> | undefined;

/** Reads the application default credentials once, because each new client asks Google for a token. */
export function applicationDefaultLogin(): Promise<AuthClient> {
  // The firmware identifies Google's machines. On others the library's default, a ping, ends in a warning.
  process.env["METADATA_SERVER_DETECTION"] ??= "bios-only";
  return (defaultLogin ??= import("google-auth-library").then(({ GoogleAuth }) =>
    new GoogleAuth({ scopes: CLOUD_PLATFORM }).getClient(),
  ));
}

/**
 * Returns an access token for the caller's credentials: the token in GOOGLE_OAUTH_ACCESS_TOKEN, which the gcp plugin reads
 * too, or gcloud's.
 *
 * @throws one error with the command that logs in.
 */
export async function ownAccessToken(): Promise<string> {
  const given = process.env["GOOGLE_OAUTH_ACCESS_TOKEN"];
  if (given) return given;
  try {
    const { token } = await (await applicationDefaultLogin()).getAccessToken();
    if (token) return token;
    throw new Error("Google gave no token");
  } catch (error) {
    throw problemsError([
      {
        where: "Google login",
        found: messageOf(error).split("\n")[0] ?? "none",
        allowed: "Application Default Credentials, or a token in GOOGLE_OAUTH_ACCESS_TOKEN",
        fix: LOG_IN,
      },
    ]);
  }
}
