import { z } from "zod";
import { problemsError } from "../problems/problem.ts";
import { callGoogle, isApiDisabled, refusal } from "./client.ts";
import type { GoogleApi } from "./apis.ts";

/** What all resources have in common; those that have no state are active while they are there. */
const resource = z.looseObject({
  state: z.string().default("ACTIVE"),
  description: z.string().default(""),
});

/** A resource, as its API answers it. */
export type Found = z.infer<typeof resource>;

/** How to ask whether a resource exists. */
export interface Question {
  /** Project that the call counts for. */
  quotaProject?: string;
  /** Takes a 403 for "nothing there", and is called with Google's answer: the caller may not read what it will not touch. */
  onForbidden?: (answer: string) => void;
}

/**
 * A resource; undefined where there is none, also where its API is not enabled yet.
 *
 * @param name full name, as the API has it.
 * @throws where Google answers neither.
 */
export async function lookUp(
  api: GoogleApi,
  name: string,
  { quotaProject, onForbidden }: Question = {},
): Promise<Found | undefined> {
  const answer = await callGoogle(api, name, quotaProject === undefined ? {} : { quotaProject });
  const { status, body } = answer;
  if (status === 200) return resource.parse(body);
  if (status === 404 || isApiDisabled(answer)) return undefined;
  if (status === 403 && onForbidden !== undefined) {
    onForbidden(refusal(answer));
    return undefined;
  }
  throw lookupError(name, `Google answered ${refusal(answer)} to the question whether it exists`);
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
