import { getClientConfig } from "@pulumi/gcp/organizations";

/** An API of Google that the program itself reads. */
export interface GoogleApi {
  /** Where it is, with its version. */
  endpoint: string;
  /** The variable by which the gcp plugin is pointed elsewhere; honoured here too. */
  variable: string;
}

export const artifactRegistry: GoogleApi = {
  endpoint: "https://artifactregistry.googleapis.com/v1/",
  variable: "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT",
};

export interface GoogleAnswer {
  status: number;
  body: unknown;
}

/** Longest wait for an answer; a preview should not hang on a network that swallows packets. */
const TIMEOUT_MS = 10_000;

/**
 * Reads from Google with the gcp plugin's own credentials.
 *
 * @param path below the endpoint, such as `projects/my-project/...`.
 * @param quotaProject project that the call counts for; some APIs refuse a person's credentials without.
 * @returns the answer, whatever its status.
 * @throws when nobody answers.
 */
export async function googleGet(api: GoogleApi, path: string, quotaProject: string): Promise<GoogleAnswer> {
  const { accessToken } = await getClientConfig({});
  const response = await fetch(new URL(path, process.env[api.variable] ?? api.endpoint), {
    headers: { Authorization: `Bearer ${accessToken}`, "X-Goog-User-Project": quotaProject },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return { status: response.status, body: await response.json().catch(() => undefined) };
}
