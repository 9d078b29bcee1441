import { type GithubRun, mintGithubToken } from "../../sandbox/emulator/support/github-issuer.ts";
import type { Sandbox } from "./sandbox.ts";

/** A token of a workflow run for a workload identity provider. */
export function githubToken({ root }: Sandbox, provider: string, run: GithubRun): Promise<string> {
  return mintGithubToken(root, { audience: `https://iam.googleapis.com/${provider}`, ...run });
}

/**
 * Gets an account's access token by a workflow's token, as google-github-actions/auth does.
 *
 * @param provider name of the workload identity provider.
 * @returns the answer to the exchange if it is refused, else the answer to the impersonation.
 */
export async function impersonate(
  { emulatorUrl }: Sandbox,
  provider: string,
  githubToken: string,
  account: string,
): Promise<Response> {
  const exchange = await fetch(`${emulatorUrl}/v1/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: `//iam.googleapis.com/${provider}`,
      scope: "https://www.googleapis.com/auth/cloud-platform",
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token: githubToken,
    }),
  });
  if (!exchange.ok) return exchange;
  const { access_token: federated } = (await exchange.json()) as { access_token: string };
  return fetch(`${emulatorUrl}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`, {
    method: "POST",
    headers: { Authorization: `Bearer ${federated}`, "Content-Type": "application/json" },
    body: JSON.stringify({ scope: ["https://www.googleapis.com/auth/cloud-platform"] }),
  });
}
