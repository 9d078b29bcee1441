import { expect, test } from "vitest";
import { fakeGoogle } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { parseSettings } from "../../settings/parse.ts";
import type { Settings } from "../../settings/schema.ts";
import { stackConfig } from "../../test/support/default-settings.ts";
import { checkException } from "./check-exception.ts";

const EXCEPTION = "GET /projects/production-471918/policies/iam.allowedPolicyMemberDomains";

const check = (changes: Record<string, unknown>) =>
  declare(() => checkException(parseSettings(stackConfig(changes), []).settings as Settings));

test("nothing is asked where it is not to be adopted", async () => {
  const requests = await fakeGoogle({});
  await check({ publicAccess: true, overrideDomainRestrictedSharing: true });
  await check({ publicAccess: true, adoptExisting: true });
  expect(requests).toEqual([]);
});

test.each([
  ["is there", 200, true],
  ["is not there", 404, false],
  ["may not be read, as by the CI accounts", 403, false],
])("the exception %s", async (_, status, expected) => {
  const requests = await fakeGoogle({ [EXCEPTION]: { status } });
  const { result } = await check({
    publicAccess: true,
    overrideDomainRestrictedSharing: true,
    adoptExisting: true,
  });
  expect(result).toEqual({ found: expected, problems: [] });
  expect(requests.map(({ headers }) => headers["x-goog-user-project"])).toEqual(["production-471918"]);
});
