import { z } from "zod";
import { problemsError } from "../problems/problem.ts";
import { callGoogle, isApiDisabled, refusal } from "./client.ts";
import type { GoogleApi } from "./apis.ts";

const resource = z.object({ state: z.string().default("ACTIVE") });

/** How to ask whether a resource exists. */
export interface Question {
  /** Project that the call counts for. */
  quotaProject?: string;
  /** Take a 403 for "nothing there": the caller has nothing to do with what it may not read. */
  forbiddenIsNone?: boolean;
}

/**
 * The state of a resource, such as `ACTIVE` or `DELETED`; undefined where there is none, also where its API is not
 * enabled yet.
 *
 * @param name full name, as the API has it.
 * @throws where Google answers neither.
 */
export async function stateOf(
  api: GoogleApi,
  name: string,
  { quotaProject, forbiddenIsNone = false }: Question = {},
): Promise<string | undefined> {
  const answer = await callGoogle(api, name, quotaProject === undefined ? {} : { quotaProject });
  const { status, body } = answer;
  if (status === 200) return resource.parse(body).state;
  if (status === 404 || isApiDisabled(answer) || (status === 403 && forbiddenIsNone)) return undefined;
  throw lookupError(name, `Google answered ${refusal(answer)} to the question whether it exists`);
}

/** Whether a resource exists; see {@link stateOf}. */
export async function exists(api: GoogleApi, name: string, question: Question = {}): Promise<boolean> {
  return (await stateOf(api, name, question)) !== undefined;
}

/** One error for a resource that could not be looked up. */
export function lookupError(where: string, found: string): Error {
  return problemsError([
    {
      where,
      found,
      allowed: "an account that may read and create it",
      fix: "gcloud auth application-default login",
    },
  ]);
}
