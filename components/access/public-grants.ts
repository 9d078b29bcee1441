import { z } from "zod";
import { ALL_AUTHENTICATED_USERS } from "./principals.ts";

/** A role that everybody has, or everybody with a Google account. */
export interface PublicGrant {
  member: string;
  role: string;
}

/** How the warning begins, which the report about drift looks for. */
export const PUBLIC_ANYWAY = "The registry is public, though the settings do not say so";

const policy = z.object({
  bindings: z.array(z.object({ role: z.string(), members: z.array(z.string()).default([]) })).default([]),
});

/** The public grants of a policy, as `:getIamPolicy` answers it. */
export function publicGrants(answer: unknown): PublicGrant[] {
  return policy
    .parse(answer)
    .bindings.flatMap(({ role, members }) =>
      members
        .filter((member) => member === "allUsers" || member === ALL_AUTHENTICATED_USERS)
        .map((member) => ({ member, role })),
    );
}
