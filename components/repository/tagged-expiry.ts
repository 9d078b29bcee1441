import { z } from "zod";
import { artifactRegistry } from "../../google/apis.ts";
import { callGoogle, isApiDisabled, refusal } from "../../google/client.ts";
import { lookupError } from "../../google/existence.ts";
import { cleanupPolicy } from "./cleanup-rules.ts";

const repositoryAnswer = z.object({
  cleanupPolicies: z.record(z.string(), cleanupPolicy).default({}),
  cleanupPolicyDryRun: z.boolean().default(false),
});

/**
 * Whether a repository exists in which nothing that has a tag was deleted so far, because no policy does, or because
 * cleanup only logs.
 *
 * @param name full name of the repository.
 * @throws where Google does not say.
 */
export async function keepsAllTagged(name: string): Promise<boolean> {
  const answer = await callGoogle(artifactRegistry, name);
  // Who may not read a repository cannot change its policies either.
  if ([403, 404].includes(answer.status) || isApiDisabled(answer)) return false;
  if (answer.status !== 200)
    throw lookupError(name, `Google answered ${refusal(answer)} to the question what its cleanup deletes`);
  const { cleanupPolicies, cleanupPolicyDryRun } = repositoryAnswer.parse(answer.body);
  return (
    cleanupPolicyDryRun ||
    !Object.values(cleanupPolicies).some(
      ({ action, condition }) => action === "DELETE" && condition?.tagState !== "UNTAGGED",
    )
  );
}
