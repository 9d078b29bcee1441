// Replaces google-github-actions/auth: writes a file of credentials that exchange the job's token.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportVariable, input, jobToken, standIn, variable } from "./runner.ts";

const { google, storage, tokenSeconds } = standIn();
const provider = input("workload_identity_provider");
const account = input("service_account");
const project = /@(.*)\.iam\.gserviceaccount\.com$/.exec(account)?.[1];
if (provider === "" || project === undefined) throw new Error("no provider or no account is given");

const audience = encodeURIComponent(`https://iam.googleapis.com/${provider}`);
const credentials = {
  type: "external_account",
  audience: `//iam.googleapis.com/${provider}`,
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  token_url: `${google}/v1/token`,
  service_account_impersonation_url: `${google}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
  service_account_impersonation: { token_lifetime_seconds: tokenSeconds },
  credential_source: {
    url: `${variable("GITHUB_API_URL")}/actions/id-token?audience=${audience}`,
    headers: { Authorization: `Bearer ${jobToken()}` },
    format: { type: "json", subject_token_field_name: "value" },
  },
};
const file = join(variable("GITHUB_WORKSPACE"), "gha-creds-0.json");
writeFileSync(file, JSON.stringify(credentials), { mode: 0o600 });
for (const name of [
  "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_GHA_CREDS_PATH",
])
  exportVariable(name, file);
for (const name of ["CLOUDSDK_CORE_PROJECT", "GCLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT"])
  exportVariable(name, project);
exportVariable("STORAGE_EMULATOR_HOST", storage[account] ?? "");
