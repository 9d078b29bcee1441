import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { accessToken } from "./access-token.ts";
import type { GoogleApi } from "./apis.ts";

export interface GoogleCall {
  /** Default `GET`. */
  method?: "GET" | "POST" | "PATCH";
  /** Sent as JSON; default: none. */
  body?: object;
  /** Project that the call counts for: some APIs refuse a person's own credentials without one. */
  quotaProject?: string;
  /** Try once, and not for long: the answer is of use only while others work anyway. */
  once?: boolean;
}

export interface GoogleAnswer {
  status: number;
  body: unknown;
}

/** Longest wait for an answer; a preview should not hang on a network that swallows packets. */
const TIMEOUT_MS = 10_000;

/** The same for what nobody waits for. */
const SHORT_TIMEOUT_MS = 3000;

/** Statuses that pass: too many requests, and a server that is not well; the gcp plugin tries them again too. */
const PASSING: ReadonlySet<number> = new Set([429, 500, 502, 503]);

/** Waits before the second, third and fourth try. */
const WAITS_MS = [1000, 2000, 4000];

/**
 * Calls Google with the gcp plugin's own credentials; again, after longer and longer waits, while the answer is an
 * error that passes.
 *
 * @param path below the endpoint, such as `projects/my-project/...`.
 * @returns the answer, whatever its status.
 * @throws when nobody answers, or when there are no credentials.
 */
export async function callGoogle(api: GoogleApi, path: string, call: GoogleCall = {}): Promise<GoogleAnswer> {
  for (const wait of call.once === true ? [] : WAITS_MS) {
    const answer = await callOnce(api, path, call);
    if (!PASSING.has(answer.status)) return answer;
    await sleep(wait);
  }
  return callOnce(api, path, call);
}

async function callOnce(
  api: GoogleApi,
  path: string,
  { method = "GET", body, quotaProject, once = false }: GoogleCall,
): Promise<GoogleAnswer> {
  const response = await fetch(new URL(path, process.env[api.variable] ?? api.endpoint), {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    headers: {
      ...(body !== undefined && { "Content-Type": "application/json" }),
      Authorization: `Bearer ${await accessToken()}`,
      ...(quotaProject !== undefined && { "X-Goog-User-Project": quotaProject }),
    },
    signal: AbortSignal.timeout(once ? SHORT_TIMEOUT_MS : TIMEOUT_MS),
  });
  return { status: response.status, body: await response.json().catch(() => undefined) };
}

const errorAnswer = z.object({ error: z.object({ message: z.string() }) });

/** Whether an answer says that its API is not enabled in the project; any body will do, also one that is no JSON. */
export function isApiDisabled({ body }: Pick<GoogleAnswer, "body">): boolean {
  return (JSON.stringify(body ?? null) as string | undefined)?.includes('"SERVICE_DISABLED"') ?? false;
}

/** How Google answered where it did not do as asked: `403`, or `403 (the reason it gives)`. */
export function refusal({ status, body }: GoogleAnswer): string {
  const { data } = errorAnswer.safeParse(body);
  return data === undefined ? String(status) : `${status} (${data.error.message})`;
}
