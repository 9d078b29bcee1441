import * as pulumi from "@pulumi/pulumi";
import { organizationPolicy } from "../../google/apis.ts";
import { callGoogle, isApiDisabled, refusal } from "../../google/client.ts";
import { exceptionName } from "../../google/full-names.ts";
import { lacksQuotaProject, pluginQuotaProject, type QuotaSettings } from "../../google/quota-project.ts";
import type { Checked } from "../../problems/checks.ts";

/** What decides whether there is to be an exception, as the settings of the same names say it. */
export interface Exception extends QuotaSettings {
  /** Google Cloud project. */
  project: string;
  overrideDomainRestrictedSharing: boolean;
  /** Import one that exists already. */
  adoptExisting: boolean;
}

/**
 * Looks whether the project's exception from domain restricted sharing can be managed, and exists already, where it is
 * asked for. Asks as the gcp plugin is going to ask: a person's own login without a quota project would be refused at up,
 * after other changes. The CI accounts may not read policies of the organization, and change none: what the caller may not
 * read is not adopted, with a warning.
 */
export async function checkException(wanted: Exception): Promise<Checked<boolean>> {
  const { project, adoptExisting, overrideDomainRestrictedSharing } = wanted;
  if (!overrideDomainRestrictedSharing) return { found: false, problems: [] };
  const name = exceptionName(project);
  const quotaProject = pluginQuotaProject(wanted);
  const answer = await callGoogle(
    organizationPolicy,
    name,
    quotaProject === undefined ? {} : { quotaProject },
  );
  if (!lacksQuotaProject(answer)) {
    if (adoptExisting && ![200, 404].includes(answer.status) && !isApiDisabled(answer))
      void pulumi.log.warn(
        `${name}: Google answered ${refusal(answer)}, so whether there is an exception to adopt is not checked.`,
      );
    return { found: adoptExisting && answer.status === 200, problems: [] };
  }
  const problem = {
    where: name,
    found:
      "a login of a person's own, for which the Organization Policy API wants a quota project; the gcp plugin names none",
    allowed: "a quota project, on which you have roles/serviceusage.serviceUsageConsumer",
    fix: `export USER_PROJECT_OVERRIDE=true GOOGLE_BILLING_PROJECT=${project}   # then the same command again`,
  };
  return { found: false, problems: [problem] };
}
