import { organizationPolicy } from "../../google/apis.ts";
import { exists } from "../../google/existence.ts";
import { exceptionName } from "../../google/full-names.ts";

/**
 * Whether the project's exception from domain restricted sharing exists already. The CI accounts may not read policies of
 * the organization, and change none: what they may not read is nothing to adopt.
 */
export function exceptionExists(project: string): Promise<boolean> {
  return exists(organizationPolicy, exceptionName(project), { quotaProject: project, forbiddenIsNone: true });
}
