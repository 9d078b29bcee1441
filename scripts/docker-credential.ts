// Docker's program for logins at one host, with a new token each time: docker-credential.ts ACTION HOST [ACCOUNT]
// The protocol is that of docker/docker-credential-helpers; log-in-at-registry.sh sets it up.
import { text } from "node:stream/consumers";
import { iamCredentials } from "../google/apis.ts";
import { messageOf } from "../problems/wording.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/** Docker goes on without a login: docker-credential-helpers, `errCredentialsNotFound`. */
const NONE = "credentials not found in native keychain";

const [action = "", host = "", account = ""] = process.argv.slice(2);
try {
  console.log(await answer());
} catch (error) {
  // Docker reads the reason on standard output.
  console.log(messageOf(error));
  process.exitCode = 1;
}

async function answer(): Promise<string> {
  if (action === "list") return "{}";
  if (action !== "get") throw new Error(`this login renews itself: docker cannot ${action} it`);
  const server = (await text(process.stdin)).trim();
  if (URL.parse(server.includes("://") ? server : `https://${server}`)?.host !== host) throw new Error(NONE);
  return JSON.stringify({ ServerURL: server, Username: "oauth2accesstoken", Secret: await accessToken() });
}

async function accessToken(): Promise<string> {
  const { GoogleAuth, Impersonated } = await import("google-auth-library");
  // Google's own machines are known by their firmware. To ping for one elsewhere ends in a warning of the library's.
  process.env["METADATA_SERVER_DETECTION"] ??= "bios-only";
  const endpoint = new URL(process.env[iamCredentials.variable] ?? iamCredentials.endpoint).origin;
  let token: string | null | undefined;
  try {
    const own = await new GoogleAuth({ scopes: SCOPE }).getClient();
    const impersonated = { sourceClient: own, targetPrincipal: account, targetScopes: [SCOPE], endpoint };
    const client = account === "" ? own : new Impersonated(impersonated);
    ({ token } = await client.getAccessToken());
  } catch (error) {
    throw new Error(
      `Google gave no access token: ${messageOf(error)}; log in by gcloud auth application-default login`,
      {
        cause: error,
      },
    );
  }
  if (!token) throw new Error("Google gave no access token");
  return token;
}
