import * as pulumi from "@pulumi/pulumi";
import { organizationPolicy } from "../../google/apis.ts";
import { callGoogle, isApiDisabled, describeAnswer } from "../../google/client.ts";
import { exceptionName } from "../../google/full-names.ts";
import { lacksQuotaProject, pluginQuotaProject, type QuotaSettings } from "../../google/quota-project.ts";
import type { Checked } from "../../problems/checks.ts";

/** Settings of the project's exception from domain restricted sharing. */
export interface ExceptionSettings extends QuotaSettings {
  /** Google Cloud project. */
  project: string;
  overrideDomainRestrictedSharing: boolean;
  /** Import an existing exception. */
  adoptExisting: boolean;
}

/**
 * Checks whether the exception can be managed and exists. Sends the gcp plugin's quota project: without one, Google
 * would refuse a person's login at `up`, after other changes.
 *
 * Warns if the caller has no permission to read the policy, as is the case for the CI accounts.
 */
export async function checkException(settings: ExceptionSettings): Promise<Checked<boolean>> {
  const { project, adoptExisting, overrideDomainRestrictedSharing } = settings;
  if (!overrideDomainRestrictedSharing) return { found: false, problems: [] };
  const name = exceptionName(project);
  const quotaProject = pluginQuotaProject(settings);
  const answer = await callGoogle(
    organizationPolicy,
    name,
    quotaProject === undefined ? {} : { quotaProject },
  );
  if (!lacksQuotaProject(answer)) {
    if (adoptExisting && ![200, 404].includes(answer.status) && !isApiDisabled(answer))
      void pulumi.log.warn(
        `${name}: Google answered ${describeAnswer(answer)}, so whether there is an exception to adopt is not checked.`,
      );
    return { found: adoptExisting && answer.status === 200, problems: [] };
  }
  const problem = {
    where: name,
    found: "a person's login without a quota project, which the Organization Policy API requires",
    allowed: "a quota project, on which you have roles/serviceusage.serviceUsageConsumer",
    fix: `export USER_PROJECT_OVERRIDE=true GOOGLE_BILLING_PROJECT=${project}   # then the same command again`,
  };
  return { found: false, problems: [problem] };
}
