import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { artifactRegistry } from "../../google/apis.ts";
import { callGoogle, isApiDisabled, describeAnswer } from "../../google/client.ts";
import { repositoryName } from "../../google/full-names.ts";
import type { Outputs } from "../../google/last-outputs.ts";
import { messageOf } from "../../problems/wording.ts";
import { PUBLIC_ANYWAY, type PublicGrant, publicGrants } from "./public-grants.ts";

/** Settings of the repository and its readers. */
export interface ReaderSettings {
  /** Google Cloud project. */
  project: string;
  region: string;
  repositoryId: string;
  publicAccess: boolean;
  /** Principals that can pull. */
  readers: readonly string[];
}

const last = z.object({ publicAccess: z.boolean().catch(false), readers: z.array(z.string()).catch([]) });

/**
 * Returns whether everyone can pull: by the settings, or by a binding in the repository's policy, which is a warning. If
 * the policy cannot be read, logs that and returns the result of the last `up`. Never fails.
 */
export async function findPublicAccess(settings: ReaderSettings, outputs: Outputs): Promise<boolean> {
  if (settings.publicAccess) return true;
  const { publicAccess, readers } = last.parse(outputs);
  const grants = await read(settings);
  if (grants === undefined) return publicAccess;
  const own = new Set([...readers, ...settings.readers]);
  const foreign = grants.filter(
    ({ member, role }) => role !== "roles/artifactregistry.reader" || !own.has(member),
  );
  for (const grant of foreign) void pulumi.log.warn(describeGrant(settings, grant));
  return foreign.some(({ member }) => member === "allUsers");
}

/** Returns the policy's public grants; none if the repository does not exist, undefined if the policy cannot be read. */
async function read({ project, region, repositoryId }: ReaderSettings): Promise<PublicGrant[] | undefined> {
  const path = `${repositoryName({ project, location: region, repositoryId })}:getIamPolicy`;
  const notChecked = (why: string) => `Public bindings of ${repositoryId} are not checked: ${why}.`;
  try {
    const answer = await callGoogle(artifactRegistry, path, { once: true });
    if (answer.status === 200) return publicGrants(answer.body);
    if (answer.status === 404 || isApiDisabled(answer)) return [];
    const message = notChecked(`Google answered ${describeAnswer(answer)}`);
    // The CI accounts have no permission to read it.
    void (answer.status === 403 ? pulumi.log.info(message) : pulumi.log.warn(message));
  } catch (error) {
    void pulumi.log.warn(notChecked(messageOf(error)));
  }
  return undefined;
}

function describeGrant(
  { project, region, repositoryId }: ReaderSettings,
  { member, role }: PublicGrant,
): string {
  return (
    `${PUBLIC_ANYWAY}: ${member} has ${role} on ${repositoryId}, by a binding of another owner. Remove it: ` +
    `gcloud artifacts repositories remove-iam-policy-binding ${repositoryId} --project=${project} --location=${region} --member=${member} --role=${role}`
  );
}
