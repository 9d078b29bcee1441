import { problemsError } from "../problems/problem.ts";
import { messageOf } from "../problems/wording.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/**
 * An access token of the caller's own login: the one in GOOGLE_OAUTH_ACCESS_TOKEN, which the gcp plugin takes too, else
 * Application Default Credentials.
 *
 * @throws one error with the command that logs in.
 */
export async function ownAccessToken(): Promise<string> {
  const given = process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";
  if (given !== "") return given;
  // Google's own machines are known by their firmware. A ping elsewhere ends in a warning of the library.
  process.env["METADATA_SERVER_DETECTION"] ??= "bios-only";
  const { GoogleAuth } = await import("google-auth-library");
  try {
    const token = await new GoogleAuth({ scopes: SCOPE }).getAccessToken();
    if (typeof token === "string") return token;
    throw new Error("Google gave no token");
  } catch (error) {
    throw problemsError([
      {
        where: "Google login",
        found: messageOf(error).split("\n")[0] ?? "none",
        allowed: "Application Default Credentials, or a token in GOOGLE_OAUTH_ACCESS_TOKEN",
        fix: "gcloud auth application-default login",
      },
    ]);
  }
}
