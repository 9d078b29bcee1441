import { expect, test, vi } from "vitest";
import { lacksQuotaProject, pluginQuotaProject } from "./quota-project.ts";

const VARIABLES = ["USER_PROJECT_OVERRIDE", "GOOGLE_BILLING_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT"] as const;

test.each<[string, Partial<Record<(typeof VARIABLES)[number], string>>, object, string | undefined]>([
  ["nothing", {}, {}, undefined],
  ["the variables", { USER_PROJECT_OVERRIDE: "true", GOOGLE_BILLING_PROJECT: "b" }, {}, "b"],
  ["the settings", {}, { userProjectOverride: true, billingProject: "b" }, "b"],
  ["one variable and one setting", { GOOGLE_BILLING_PROJECT: "b" }, { userProjectOverride: true }, "b"],
  ["a project without the override", { GOOGLE_BILLING_PROJECT: "b" }, {}, undefined],
  [
    "an override that the settings turn off",
    { USER_PROJECT_OVERRIDE: "true", GOOGLE_BILLING_PROJECT: "b" },
    { userProjectOverride: false },
    undefined,
  ],
  ["an override without a project", { USER_PROJECT_OVERRIDE: "true" }, {}, undefined],
  ["the variable of Google's libraries", { GOOGLE_CLOUD_QUOTA_PROJECT: "q" }, {}, "q"],
])("the plugin's quota project by %s", (_, variables, settings, expected) => {
  for (const name of VARIABLES) vi.stubEnv(name, variables[name] ?? "");
  const named = { userProjectOverride: undefined, billingProject: undefined, ...settings };
  expect(pluginQuotaProject(named)).toBe(expected);
});

test("a disabled API is not a missing quota project", () => {
  const answer = (message: string) => ({
    body: { error: { code: 403, message, details: [{ reason: "SERVICE_DISABLED" }] } },
  });
  expect(lacksQuotaProject(answer("The orgpolicy.googleapis.com API requires a quota project"))).toBe(true);
  expect(lacksQuotaProject(answer("has not been used in project 123 before or it is disabled"))).toBe(false);
  expect(lacksQuotaProject({ body: undefined })).toBe(false);
});
