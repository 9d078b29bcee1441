// Docker credential helper for one host, with a new token for each login: docker-credential.ts ACTION HOST [ACCOUNT]
// Protocol: docker/docker-credential-helpers. log-in-at-registry.sh sets it up.
// First: it halves the load time of the imports below.
import "../start/start.cjs";
import { text } from "node:stream/consumers";
import { iamCredentials } from "../google/apis.ts";
import { applicationDefaultLogin, CLOUD_PLATFORM, LOG_IN } from "../google/own-login.ts";
import { messageOf } from "../problems/wording.ts";

/** With this answer (`errCredentialsNotFound`), Docker continues without a login. */
const NONE = "credentials not found in native keychain";

const [action = "", host = "", account = ""] = process.argv.slice(2);
try {
  console.log(await answer());
} catch (error) {
  // Docker reads the error from stdout.
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
  const { Impersonated } = await import("google-auth-library");
  const endpoint = new URL(process.env[iamCredentials.variable] ?? iamCredentials.endpoint).origin;
  let token: string | null | undefined;
  try {
    const own = await applicationDefaultLogin();
    const impersonated = {
      sourceClient: own,
      targetPrincipal: account,
      targetScopes: [CLOUD_PLATFORM],
      endpoint,
    };
    const client = account === "" ? own : new Impersonated(impersonated);
    ({ token } = await client.getAccessToken());
  } catch (error) {
    throw new Error(`Google gave no access token: ${messageOf(error)}; log in: ${LOG_IN}`, {
      cause: error,
    });
  }
  if (!token) throw new Error("Google gave no access token");
  return token;
}
