import { z } from "zod";
import { ALL_AUTHENTICATED_USERS } from "./principals.ts";

/** A role of everyone, or of everyone with a Google account. */
export interface PublicGrant {
  member: string;
  role: string;
}

/** The beginning of the warning. The drift report searches for it. */
export const PUBLIC_ANYWAY = "The registry is public, though the settings do not say so";

const policy = z.object({
  bindings: z.array(z.object({ role: z.string(), members: z.array(z.string()).default([]) })).default([]),
});

/** Returns the public grants of a response of `:getIamPolicy`. */
export function publicGrants(answer: unknown): PublicGrant[] {
  return policy
    .parse(answer)
    .bindings.flatMap(({ role, members }) =>
      members
        .filter((member) => member === "allUsers" || member === ALL_AUTHENTICATED_USERS)
        .map((member) => ({ member, role })),
    );
}
