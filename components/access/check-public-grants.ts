import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { artifactRegistry } from "../../google/apis.ts";
import { callGoogle, isApiDisabled, refusal } from "../../google/client.ts";
import { repositoryName } from "../../google/full-names.ts";
import type { Outputs } from "../../google/last-outputs.ts";
import { messageOf } from "../../problems/wording.ts";
import { PUBLIC_ANYWAY, type PublicGrant, publicGrants } from "./public-grants.ts";

/** Where the repository is, and who is to pull, as the settings of the same names say it. */
export interface Wanted {
  /** Google Cloud project. */
  project: string;
  region: string;
  repositoryId: string;
  publicAccess: boolean;
  /** Principals that may pull. */
  readers: readonly string[];
}

const last = z.object({ publicAccess: z.boolean().catch(false), readers: z.array(z.string()).catch([]) });

/**
 * Whether everybody may pull, as the repository's policy says where the settings do not ask for it: a binding that is
 * somebody else's is warned of. If the policy cannot be read, the answer of the last `up` stays, and that is said. It stops
 * nothing, and nothing waits for it.
 */
export async function checkPublicGrants(wanted: Wanted, outputs: Outputs): Promise<boolean> {
  if (wanted.publicAccess) return true;
  const { publicAccess, readers } = last.parse(outputs);
  const grants = await read(wanted);
  if (grants === undefined) return publicAccess;
  const own = new Set([...readers, ...wanted.readers]);
  const foreign = grants.filter(
    ({ member, role }) => role !== "roles/artifactregistry.reader" || !own.has(member),
  );
  for (const grant of foreign) void pulumi.log.warn(told(wanted, grant));
  return foreign.some(({ member }) => member === "allUsers");
}

/** The policy's public grants; none if there is no repository, undefined if they cannot be read. */
async function read({ project, region, repositoryId }: Wanted): Promise<PublicGrant[] | undefined> {
  const path = `${repositoryName(project, region, repositoryId)}:getIamPolicy`;
  const unread = (why: string) => `Whether somebody else made ${repositoryId} public is not checked: ${why}.`;
  try {
    const answer = await callGoogle(artifactRegistry, path, { once: true });
    if (answer.status === 200) return publicGrants(answer.body);
    if (answer.status === 404 || isApiDisabled(answer)) return [];
    const message = unread(`Google answered ${refusal(answer)}`);
    // The CI accounts may not read it, at every preview.
    void (answer.status === 403 ? pulumi.log.info(message) : pulumi.log.warn(message));
  } catch (error) {
    void pulumi.log.warn(unread(messageOf(error)));
  }
  return undefined;
}

function told({ project, region, repositoryId }: Wanted, { member, role }: PublicGrant): string {
  return (
    `${PUBLIC_ANYWAY}: ${member} has ${role} on ${repositoryId}, by a binding that this stack did not make. Take it away: ` +
    `gcloud artifacts repositories remove-iam-policy-binding ${repositoryId} --project=${project} --location=${region} --member=${member} --role=${role}`
  );
}
