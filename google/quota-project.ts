import { type GoogleAnswer, isApiDisabled } from "./client.ts";

/** Settings of the gcp plugin that choose the quota project. */
export interface QuotaSettings {
  userProjectOverride: boolean | undefined;
  billingProject: string | undefined;
}

/**
 * Returns the quota project of the gcp plugin's requests, if it has one.
 * Sources:
 * https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/provider_reference#quota-management-configuration;
 * for GOOGLE_CLOUD_QUOTA_PROJECT: https://github.com/pulumi/pulumi-gcp/issues/2032
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

/** Whether an answer reports that a person's login has no quota project. */
export function lacksQuotaProject(answer: Pick<GoogleAnswer, "body">): boolean {
  return isApiDisabled(answer) && JSON.stringify(answer.body).includes("requires a quota project");
}
