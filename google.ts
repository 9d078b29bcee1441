import { getClientConfig } from "@pulumi/gcp/organizations";
import { z } from "zod";
import type { GoogleApi } from "./googleApis";

export interface GoogleCall {
  /** Default `GET`. */
  method?: "GET" | "POST";
  /** Project that the call counts for: some APIs refuse a person's own credentials without one. */
  quotaProject?: string;
}

export interface GoogleAnswer {
  status: number;
  body: unknown;
}

/** Longest wait for an answer; a preview should not hang on a network that swallows packets. */
const TIMEOUT_MS = 10_000;

/**
 * Calls Google with the gcp plugin's own credentials.
 *
 * @param path below the endpoint, such as `projects/my-project/...`.
 * @returns the answer, whatever its status.
 * @throws when nobody answers, or when there are no credentials.
 */
export async function callGoogle(api: GoogleApi, path: string, call: GoogleCall = {}): Promise<GoogleAnswer> {
  const { accessToken } = await getClientConfig();
  const { method = "GET", quotaProject } = call;
  const response = await fetch(new URL(path, process.env[api.variable] ?? api.endpoint), {
    method,
    headers: {
      Authorization: `Bearer ${accessToken}`,
      ...(quotaProject !== undefined && { "X-Goog-User-Project": quotaProject }),
    },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return { status: response.status, body: await response.json().catch(() => undefined) };
}

const errorAnswer = z.object({ error: z.object({ message: z.string() }) });

/** How Google answered where it did not do as asked: `403`, or `403 (the reason it gives)`. */
export function refusal({ status, body }: GoogleAnswer): string {
  const { data } = errorAnswer.safeParse(body);
  return data === undefined ? String(status) : `${status} (${data.error.message})`;
}
