import { z } from "zod";

/** What a failed request of the Google client tells. */
const failure = z.object({
  status: z.number().optional(),
  response: z.object({ status: z.number(), data: z.unknown() }).optional(),
  message: z.string(),
});

/** Why a repository could not be read, with the command that mends it. */
export function refusalText(error: unknown, project: string, repositoryId: string): string {
  const parsed = failure.safeParse(error);
  if (!parsed.success) return String(error);
  const { response, message } = parsed.data;
  const where = `The repository ${repositoryId} of project ${project}`;
  if (JSON.stringify(response?.data ?? null).includes("SERVICE_DISABLED"))
    return `${where} cannot be read: the Artifact Registry API is not enabled. Enable it: gcloud services enable artifactregistry.googleapis.com --project=${project}`;
  if (message.includes("default credentials"))
    return `${where} cannot be read without a login at Google: gcloud auth application-default login`;
  const cause = {
    401: "the login at Google has expired. Log in: gcloud auth application-default login",
    403: `${message} It takes roles/artifactregistry.reader on the repository.`,
    404: "there is none. Provision it: pulumi up; or name another stack: npm run report -- --stack NAME",
  }[response?.status ?? 0];
  return `${where} cannot be read: ${cause ?? message}`;
}
