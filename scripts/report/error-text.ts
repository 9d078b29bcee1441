import { describeAnswer, type GoogleAnswer, isApiDisabled } from "../../google/client.ts";
import type { RepositoryPlace } from "../../google/full-names.ts";
import { LOG_IN } from "../../google/own-login.ts";
import { PULUMI } from "../../problems/setting-commands.ts";
import { messageOf } from "../../problems/wording.ts";

const RETRY = "Run it again: npm run report";
const EXPIRED = `: the login at Google has expired. Log in: ${LOG_IN}`;

const cannotRead = ({ project, repositoryId }: RepositoryPlace): string =>
  `The repository ${repositoryId} of project ${project} cannot be read`;

/** The reason why a repository cannot be read, by Google's answer, with the command that fixes it. */
export function refusalText(answer: GoogleAnswer, place: RepositoryPlace, stack: string): string {
  const { project, location, repositoryId } = place;
  if (isApiDisabled(answer))
    return `${cannotRead(place)}: the Artifact Registry API is not enabled. Enable it: gcloud services enable artifactregistry.googleapis.com --project=${project}`;
  const answered = `Google answered ${describeAnswer(answer)}.`;
  switch (answer.status) {
    case 401:
      return process.env["GOOGLE_OAUTH_ACCESS_TOKEN"]
        ? `${cannotRead(place)}: the token in GOOGLE_OAUTH_ACCESS_TOKEN has expired, or is none. Take a new one: export GOOGLE_OAUTH_ACCESS_TOKEN="$(gcloud auth print-access-token)"`
        : cannotRead(place) + EXPIRED;
    case 403:
      return `${cannotRead(place)}: ${answered} It takes roles/artifactregistry.reader on the repository, which its owner grants: gcloud artifacts repositories add-iam-policy-binding ${repositoryId} --project=${project} --location=${location} --member=user:EMAIL --role=roles/artifactregistry.reader`;
    case 404:
      return `${cannotRead(place)}: there is none in ${location}. Provision it: ${PULUMI} up --stack ${stack}; or name another stack: npm run report -- --stack NAME`;
    default:
      return `${cannotRead(place)}: ${answered} ${RETRY}`;
  }
}

/** The same if there is no login or Google does not answer. */
export function noAnswerText(error: unknown, place: RepositoryPlace): string {
  const message = messageOf(error);
  if (message.includes("default credentials"))
    return `${cannotRead(place)} without a login at Google: ${LOG_IN}`;
  // The answer for a revoked login, or one that the organization wants renewed.
  if (message.includes("invalid_grant")) return cannotRead(place) + EXPIRED;
  return `${cannotRead(place)}: ${message}. ${RETRY}`;
}
