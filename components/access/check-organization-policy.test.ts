import { describe, expect, test } from "vitest";
import { checkOrganizationPolicy, type PublicAccessSettings } from "./check-organization-policy.ts";
import { runChecks } from "../../problems/checks.ts";
import { type Answers, fakeGoogle, logged, refuseConnections } from "../../test/support/fake-google.ts";
import { ACCESS_TOKEN, declare } from "../../test/support/mocks.ts";

const path = (constraint: string): string =>
  `GET /projects/production-471918/policies/${constraint}:getEffectivePolicy`;
const LEGACY = path("iam.allowedPolicyMemberDomains");
const MANAGED = path("iam.managed.allowedPolicyMembers");

const domains = {
  status: 200,
  body: {
    name: "organizations/100000000001/policies/iam.allowedPolicyMemberDomains",
    spec: { rules: [{ values: { allowedValues: ["C0abcdefg"] } }] },
  },
};

const closed: PublicAccessSettings = {
  project: "production-471918",
  publicAccess: false,
  readers: [],
  overrideDomainRestrictedSharing: false,
};

const check = (changes: Partial<PublicAccessSettings>) =>
  declare(() => runChecks({ access: checkOrganizationPolicy({ ...closed, ...changes }) }));

async function errorOf(changes: Partial<PublicAccessSettings>): Promise<string> {
  return check(changes).then(
    () => "allowed",
    (error: unknown) => (error as Error).message,
  );
}

describe("public access", () => {
  test("sends no request while it is off", async () => {
    const requests = await fakeGoogle({});
    await check({});
    expect(requests).toEqual([]);
  });

  test("reads the effective policies of both constraints, with the plugin's token and the quota project", async () => {
    const requests = await fakeGoogle({});
    await check({ publicAccess: true });
    expect(requests.map(({ what }) => what).sort()).toEqual([LEGACY, MANAGED]);
    for (const { headers } of requests) {
      expect(headers).toMatchObject({
        authorization: `Bearer ${ACCESS_TOKEN}`,
        "x-goog-user-project": "production-471918",
      });
    }
  });

  test("reports a policy that would refuse it, with its source, its values and the fixes", async () => {
    await fakeGoogle({ [LEGACY]: domains });
    expect(await errorOf({ publicAccess: true })).toBe(
      [
        "1 problem; nothing was changed.",
        "",
        "constraints/iam.allowedPolicyMemberDomains",
        "  found:   allUsers would be refused by the organization policy of organizations/100000000001",
        "  allowed: members of C0abcdefg",
        "  fix:     npm run pulumi -- config set hyperion-registry:overrideDomainRestrictedSharing true   # requires roles/orgpolicy.policyAdmin",
        "           or name the readers of your domain: npm run pulumi -- config set --path 'hyperion-registry:readers[0]' domain:example.com",
        "           or stay private: npm run pulumi -- config set hyperion-registry:publicAccess false",
      ].join("\n"),
    );
  });

  const managed = (parameters?: unknown) => ({
    status: 200,
    body: { spec: { rules: [{ enforce: true, ...(parameters !== undefined && { parameters }) }] } },
  });
  const allowAll = { status: 200, body: { spec: { rules: [{ allowAll: true }] } } };
  const denyAll = { status: 200, body: { spec: { rules: [{ denyAll: true }] } } };

  test.each<[string, Answers, boolean]>([
    ["no policy", {}, true],
    ["a policy without rules", { [LEGACY]: { status: 200, body: { spec: {} } } }, true],
    ["a policy that allows all", { [LEGACY]: allowAll }, true],
    ["a policy that denies all", { [LEGACY]: denyAll }, false],
    ["domains", { [LEGACY]: domains }, false],
    ["the managed constraint", { [MANAGED]: managed() }, false],
    [
      "the managed constraint, allowing allUsers",
      { [MANAGED]: managed({ allowedMemberSubjects: ["allUsers"] }) },
      true,
    ],
    [
      "the managed constraint, allowing others",
      { [MANAGED]: managed({ allowedMemberSubjects: ["user:a@b.c"] }) },
      false,
    ],
    [
      "the managed constraint, not enforced",
      { [MANAGED]: { status: 200, body: { spec: { rules: [{ enforce: false }] } } } },
      true,
    ],
  ])("%s", async (_, answers, allowed) => {
    await fakeGoogle(answers);
    expect((await errorOf({ publicAccess: true })) === "allowed").toBe(allowed);
  });

  test("warns of a policy that cannot be read", async () => {
    const lines = logged();
    await fakeGoogle({ [LEGACY]: { status: 403 } });
    await check({ publicAccess: true });
    expect(lines.warn).toEqual([
      "Could not read the organization policy iam.allowedPolicyMemberDomains (Google answered 403); a public binding may be refused.",
    ]);
  });

  test("reports a disabled API once, with the command that enables it", async () => {
    const lines = logged();
    const answer = {
      status: 403,
      body: { error: { code: 403, details: [{ reason: "SERVICE_DISABLED" }] } },
    };
    await fakeGoogle({ [LEGACY]: answer, [MANAGED]: answer });
    expect(await errorOf({ publicAccess: true, overrideDomainRestrictedSharing: true })).toBe(
      [
        "1 problem; nothing was changed.",
        "",
        "constraints/iam.allowedPolicyMemberDomains",
        "  found:   a policy that cannot be checked for allUsers: the Organization Policy API is not enabled in production-471918",
        "  allowed: an enabled API, or a registry that is not public",
        "  fix:     gcloud services enable orgpolicy.googleapis.com --project=production-471918   # takes a minute to spread",
        "           or stay private: npm run pulumi -- config set hyperion-registry:publicAccess false",
      ].join("\n"),
    );
    expect(lines.warn).toEqual([]);
  });

  test("warns if Google is unreachable", async () => {
    const lines = logged();
    refuseConnections();
    await check({ publicAccess: true });
    expect(lines.warn).toHaveLength(2);
    expect(lines.warn[0]).toContain("Could not read the organization policy");
  });

  test("accepts a refusing policy with the exception, and warns of its scope and its delay", async () => {
    const lines = logged();
    await fakeGoogle({ [LEGACY]: domains });
    await check({ publicAccess: true, overrideDomainRestrictedSharing: true });
    expect(lines.warn).toEqual([
      'The exception from iam.allowedPolicyMemberDomains takes minutes to spread. If the public binding is refused ("do not belong to a permitted customer"), run this again in five minutes: npm run pulumi -- up',
      "overrideDomainRestrictedSharing lifts iam.allowedPolicyMemberDomains on the whole project production-471918: anyone with permission to set its policies can then share any of its resources outside the organization.",
    ]);
  });

  test("counts allAuthenticatedUsers among the readers as public", async () => {
    const lines = logged();
    await fakeGoogle({ [LEGACY]: domains });
    expect(await errorOf({ readers: ["allAuthenticatedUsers"] })).toContain(
      "allAuthenticatedUsers would be refused",
    );
    expect(lines.warn).toEqual([
      "readers has allAuthenticatedUsers: anyone with a Google account can pull, which is public in all but name.",
    ]);
  });
});
