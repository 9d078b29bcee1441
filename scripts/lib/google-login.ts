import type { AuthClient } from "google-auth-library";

/** The caller's own credentials: the token that the gcp plugin takes too, else those of gcloud. */
export async function googleLogin(): Promise<AuthClient> {
  const { GoogleAuth, OAuth2Client } = await import("google-auth-library");
  // Google's own machines are known by their firmware. To ping for one elsewhere ends in a warning of the library's.
  process.env["METADATA_SERVER_DETECTION"] ??= "bios-only";
  const token = process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";
  if (token === "")
    return new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" }).getClient();
  const client = new OAuth2Client();
  client.setCredentials({ access_token: token });
  return client;
}
