import { z } from "zod";
import { problemsError } from "../problems/problem.ts";
import { callGoogle, isApiDisabled, describeAnswer } from "./client.ts";
import type { GoogleApi } from "./apis.ts";

/** The properties that every resource has. A kind without a state is active while it exists. */
const resource = z.looseObject({
  state: z.string().default("ACTIVE"),
  description: z.string().default(""),
});

/** A resource, as its API returns it. */
export type FoundResource = z.infer<typeof resource>;

/**
 * Looks a resource up. Returns undefined if it does not exist or its API is not enabled yet.
 *
 * @param name full name in the API.
 * @param onForbidden called with Google's answer on a 403, which then counts as not found.
 * @throws on any other answer.
 */
export async function lookUp(
  api: GoogleApi,
  name: string,
  onForbidden?: (answer: string) => void,
): Promise<FoundResource | undefined> {
  const answer = await callGoogle(api, name);
  const { status, body } = answer;
  if (status === 200) return resource.parse(body);
  if (status === 404 || isApiDisabled(answer)) return undefined;
  if (status === 403 && onForbidden !== undefined) {
    onForbidden(describeAnswer(answer));
    return undefined;
  }
  throw lookupError(name, `Google answered ${describeAnswer(answer)} to the question whether it exists`);
}

/** Makes the error for a resource whose existence is unknown. */
export function lookupError(where: string, found: string): Error {
  return problemsError([
    {
      where,
      found,
      allowed: "an account with permission to read and create it",
      fix: "gcloud auth application-default login",
    },
  ]);
}
