import { z } from "zod";
import { accessToken } from "./access-token.ts";
import type { GoogleApi } from "./apis.ts";
import { retryWhile } from "./retry.ts";

export interface GoogleCall {
  /** Default `GET`. */
  method?: "GET" | "POST" | "PUT" | "PATCH";
  /** Sent as JSON; default: none. */
  body?: object;
  /** Project that pays for the call. Some APIs require it for a person's credentials. */
  quotaProject?: string;
  /** Try once, with a short timeout. */
  once?: boolean;
  /** Default: 10 s, because a preview must not hang if the network drops packets. */
  timeoutMs?: number;
}

export interface GoogleAnswer {
  status: number;
  body: unknown;
}

/** Statuses of temporary errors. The gcp plugin retries the same ones. */
const RETRIED: ReadonlySet<number> = new Set([429, 500, 502, 503]);

/** Waits before the second, third and fourth try. */
const WAITS_MS = [1000, 2000, 4000];

/**
 * Calls Google with the gcp plugin's credentials. Retries temporary errors.
 *
 * @param path below the endpoint, such as `projects/my-project/...`.
 * @returns the answer, whatever its status.
 * @throws if Google does not answer or there are no credentials.
 */
export async function callGoogle(api: GoogleApi, path: string, call: GoogleCall = {}): Promise<GoogleAnswer> {
  const waits = call.once === true ? [] : WAITS_MS;
  return retryWhile(
    waits,
    ({ status }) => RETRIED.has(status),
    () => callOnce(api, path, call),
  );
}

async function callOnce(
  api: GoogleApi,
  path: string,
  { method = "GET", body, quotaProject, once = false, timeoutMs = once ? 3000 : 10_000 }: GoogleCall,
): Promise<GoogleAnswer> {
  const response = await fetch(new URL(path, process.env[api.variable] ?? api.endpoint), {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    headers: {
      ...(body !== undefined && { "Content-Type": "application/json" }),
      Authorization: `Bearer ${await accessToken()}`,
      ...(quotaProject !== undefined && { "X-Goog-User-Project": quotaProject }),
    },
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: response.status, body: await response.json().catch(() => undefined) };
}

const errorAnswer = z.object({ error: z.object({ message: z.string() }) });

/** Whether an answer reports that its API is not enabled in the project. Accepts any body. */
export function isApiDisabled({ body }: Pick<GoogleAnswer, "body">): boolean {
  return (JSON.stringify(body ?? null) as string | undefined)?.includes('"SERVICE_DISABLED"') ?? false;
}

/** Formats an error answer: `403`, or `403 (the reason that Google gives)`. */
export function describeAnswer({ status, body }: GoogleAnswer): string {
  const { data } = errorAnswer.safeParse(body);
  return data === undefined ? String(status) : `${status} (${data.error.message})`;
}
