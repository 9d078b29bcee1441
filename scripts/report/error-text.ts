import { isApiDisabled } from "../../google/client.ts";
import { LOG_IN } from "../../google/own-login.ts";
import { z } from "zod";
import { PULUMI } from "../../problems/setting-commands.ts";
import type { RepositoryPlace } from "../../google/full-names.ts";

/** The error of a failed request. */
const failure = z.object({
  response: z.object({ status: z.number(), data: z.unknown() }).optional(),
  message: z.string(),
});

/**
 * The reason why a repository cannot be read, with the command that fixes it.
 *
 * @param ownToken whether the login is the token in GOOGLE_OAUTH_ACCESS_TOKEN.
 */
export function refusalText(
  error: unknown,
  { project, location, repositoryId }: RepositoryPlace,
  ownToken: boolean,
): string {
  const retry = "Run it again: npm run report";
  const where = `The repository ${repositoryId} of project ${project}`;
  const parsed = failure.safeParse(error);
  if (!parsed.success) return `${where} cannot be read: ${String(error)}`;
  const { response, message } = parsed.data;
  if (isApiDisabled({ body: response?.data }))
    return `${where} cannot be read: the Artifact Registry API is not enabled. Enable it: gcloud services enable artifactregistry.googleapis.com --project=${project}`;
  if (message.includes("default credentials"))
    return `${where} cannot be read without a login at Google: ${LOG_IN}`;
  // The answer for a revoked login, or one that the organization wants renewed.
  if (message.includes("invalid_grant"))
    return `${where} cannot be read: the login at Google has expired. Log in: ${LOG_IN}`;
  if (response === undefined) return `${where} cannot be read: ${sentence(message)} ${retry}`;
  switch (response.status) {
    case 401:
      return ownToken
        ? `${where} cannot be read: the token in GOOGLE_OAUTH_ACCESS_TOKEN has expired, or is none. Take a new one: export GOOGLE_OAUTH_ACCESS_TOKEN="$(gcloud auth print-access-token)"`
        : `${where} cannot be read: the login at Google has expired. Log in: ${LOG_IN}`;
    case 403:
      return `${where} cannot be read: ${sentence(message)} It takes roles/artifactregistry.reader on the repository, which its owner grants: gcloud artifacts repositories add-iam-policy-binding ${repositoryId} --project=${project} --location=${location} --member=user:EMAIL --role=roles/artifactregistry.reader`;
    case 404:
      return `${where} cannot be read: there is none in ${location}. Provision it: ${PULUMI} up; or name another stack: npm run report -- --stack NAME`;
    default:
      return `${where} cannot be read: Google answered ${response.status}: ${sentence(message)} ${retry}`;
  }
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
