import { organizationPolicy } from "../../google/apis.ts";
import { lookUp } from "../../google/existence.ts";
import { exceptionName } from "../../google/full-names.ts";
import type { Checked } from "../../problems/checks.ts";
import type { Settings } from "../../settings/schema.ts";

/**
 * Looks whether the project's exception from domain restricted sharing exists already, where it is asked for. The CI accounts may not read policies of
 * the organization, and change none: what they may not read is nothing to adopt.
 */
export async function checkException({
  project,
  adoptExisting,
  overrideDomainRestrictedSharing,
}: Settings): Promise<Checked<boolean>> {
  if (!adoptExisting || !overrideDomainRestrictedSharing) return { found: false, problems: [] };
  const found = await lookUp(organizationPolicy, exceptionName(project), {
    quotaProject: project,
    forbiddenIsNone: true,
  });
  return { found: found !== undefined, problems: [] };
}
