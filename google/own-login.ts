import type { AuthClient } from "google-auth-library";
import { problemsError } from "../problems/problem.ts";
import { messageOf } from "../problems/wording.ts";

/** The command that logs in at Google. */
export const LOG_IN = "gcloud auth application-default login";

/**
 * Reads the caller's credentials: the token in GOOGLE_OAUTH_ACCESS_TOKEN, which the gcp plugin reads too, or gcloud's.
 */
export async function googleLogin(): Promise<AuthClient> {
  const { GoogleAuth, OAuth2Client } = await import("google-auth-library");
  // The firmware identifies Google's machines. On others the library's default, a ping, ends in a warning.
  process.env["METADATA_SERVER_DETECTION"] ??= "bios-only";
  const token = process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";
  if (token === "")
    return new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" }).getClient();
  const client = new OAuth2Client();
  client.setCredentials({ access_token: token });
  return client;
}

/**
 * Returns an access token for the caller's credentials.
 *
 * @throws one error with the command that logs in.
 */
export async function ownAccessToken(): Promise<string> {
  try {
    const { token } = await (await googleLogin()).getAccessToken();
    if (typeof token === "string") return token;
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
