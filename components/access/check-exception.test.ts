import { expect, test, vi } from "vitest";
import { fakeGoogle, logged } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { checkException, type Exception } from "./check-exception.ts";

const EXCEPTION = "GET /projects/production-471918/policies/iam.allowedPolicyMemberDomains";
const OVERRIDE = { overrideDomainRestrictedSharing: true };

const none: Exception = {
  project: "production-471918",
  overrideDomainRestrictedSharing: false,
  adoptExisting: false,
  userProjectOverride: undefined,
  billingProject: undefined,
};

const check = async (changes: Partial<Exception>) =>
  (await declare(() => checkException({ ...none, ...changes }))).result;

test("nothing is asked where there is to be none", async () => {
  const requests = await fakeGoogle({});
  await check({ adoptExisting: true });
  expect(requests).toEqual([]);
});

test.each([
  ["is there", 200, true],
  ["is not there", 404, false],
  ["may not be read, as by the CI accounts", 403, false],
])("to be adopted, one that %s", async (_, status, expected) => {
  await fakeGoogle({ [EXCEPTION]: { status } });
  const { warn } = logged();
  expect(await check({ ...OVERRIDE, adoptExisting: true })).toEqual({ found: expected, problems: [] });
  const unread = "so whether there is an exception to adopt is not checked.";
  expect(warn).toEqual(
    status === 403 ? [`${EXCEPTION.replace("GET /", "")}: Google answered 403, ${unread}`] : [],
  );
});

test("it is asked for as the plugin is going to", async () => {
  vi.stubEnv("USER_PROJECT_OVERRIDE", "");
  const requests = await fakeGoogle({ [EXCEPTION]: { status: 200 } });
  expect(await check(OVERRIDE)).toEqual({ found: false, problems: [] });
  await check({ ...OVERRIDE, userProjectOverride: true, billingProject: "payer" });
  expect(requests.map(({ headers }) => headers["x-goog-user-project"])).toEqual([undefined, "payer"]);
});

test("A4: a person's own login without a quota project stops, before anything is changed", async () => {
  const message = "The orgpolicy.googleapis.com API requires a quota project, which is not set by default.";
  const body = { error: { code: 403, message, details: [{ reason: "SERVICE_DISABLED" }] } };
  await fakeGoogle({ [EXCEPTION]: { status: 403, body } });
  expect((await check(OVERRIDE)).problems).toEqual([
    {
      where: "projects/production-471918/policies/iam.allowedPolicyMemberDomains",
      found:
        "a login of a person's own, for which the Organization Policy API wants a quota project; the gcp plugin names none",
      allowed: "a quota project, on which you have roles/serviceusage.serviceUsageConsumer",
      fix: "export USER_PROJECT_OVERRIDE=true GOOGLE_BILLING_PROJECT=production-471918   # then the same command again",
    },
  ]);
});
