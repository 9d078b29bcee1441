import { type GoogleAnswer, isApiDisabled } from "./client.ts";

/** What of the gcp plugin's settings says whether it names a project that requests count for. */
export interface QuotaSettings {
  userProjectOverride: boolean | undefined;
  billingProject: string | undefined;
}

/**
 * The project that the gcp plugin's requests count for; undefined where it names none.
 * Sources: https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/provider_reference#quota-management-configuration,
 * of GOOGLE_CLOUD_QUOTA_PROJECT https://github.com/pulumi/pulumi-gcp/issues/2032
 */
export function pluginQuotaProject({
  userProjectOverride,
  billingProject,
}: QuotaSettings): string | undefined {
  const named = billingProject ?? process.env["GOOGLE_BILLING_PROJECT"] ?? "";
  const isOn = userProjectOverride ?? /^(1|t|true)$/i.test(process.env["USER_PROJECT_OVERRIDE"] ?? "");
  const project = isOn && named !== "" ? named : process.env["GOOGLE_CLOUD_QUOTA_PROJECT"];
  return project === "" ? undefined : project;
}

/** Whether an answer says that a person's own login names no project that the call counts for. */
export function lacksQuotaProject(answer: Pick<GoogleAnswer, "body">): boolean {
  return isApiDisabled(answer) && JSON.stringify(answer.body).includes("requires a quota project");
}
