import { expect, test, vi } from "vitest";
import { fakeGoogle, logged } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { checkException, type ExceptionSettings } from "./check-exception.ts";

const EXCEPTION = "GET /projects/production-471918/policies/iam.allowedPolicyMemberDomains";
const OVERRIDE = { overrideDomainRestrictedSharing: true };

const none: ExceptionSettings = {
  project: "production-471918",
  overrideDomainRestrictedSharing: false,
  adoptExisting: false,
  userProjectOverride: undefined,
  billingProject: undefined,
};

const check = async (changes: Partial<ExceptionSettings>) =>
  (await declare(() => checkException({ ...none, ...changes }))).result;

test("sends no request without an exception", async () => {
  const requests = await fakeGoogle({});
  await check({ adoptExisting: true });
  expect(requests).toEqual([]);
});

test.each([
  ["exists", 200, true],
  ["does not exist", 404, false],
  ["the CI accounts have no permission to read", 403, false],
])("an exception to adopt that %s", async (_, status, expected) => {
  await fakeGoogle({ [EXCEPTION]: { status } });
  const { warn } = logged();
  expect(await check({ ...OVERRIDE, adoptExisting: true })).toEqual({ found: expected, problems: [] });
  const unread = "so whether there is an exception to adopt is not checked.";
  expect(warn).toEqual(
    status === 403 ? [`${EXCEPTION.replace("GET /", "")}: Google answered 403, ${unread}`] : [],
  );
});

test("sends the plugin's quota project", async () => {
  vi.stubEnv("USER_PROJECT_OVERRIDE", "");
  const requests = await fakeGoogle({ [EXCEPTION]: { status: 200 } });
  expect(await check(OVERRIDE)).toEqual({ found: false, problems: [] });
  await check({ ...OVERRIDE, userProjectOverride: true, billingProject: "payer" });
  expect(requests.map(({ headers }) => headers["x-goog-user-project"])).toEqual([undefined, "payer"]);
});

test("A4: reports a person's login without a quota project", async () => {
  const message = "The orgpolicy.googleapis.com API requires a quota project, which is not set by default.";
  const body = { error: { code: 403, message, details: [{ reason: "SERVICE_DISABLED" }] } };
  await fakeGoogle({ [EXCEPTION]: { status: 403, body } });
  expect((await check(OVERRIDE)).problems).toEqual([
    {
      where: "projects/production-471918/policies/iam.allowedPolicyMemberDomains",
      found: "a person's login without a quota project, which the Organization Policy API requires",
      allowed: "a quota project, on which you have roles/serviceusage.serviceUsageConsumer",
      fix: "export USER_PROJECT_OVERRIDE=true GOOGLE_BILLING_PROJECT=production-471918   # then the same command again",
    },
  ]);
});
