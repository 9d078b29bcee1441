import { expect, test } from "vitest";
import { fakeGoogle } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { exceptionExists } from "./check-exception.ts";

const EXCEPTION = "GET /projects/production-471918/policies/iam.allowedPolicyMemberDomains";

test.each([
  ["is there", 200, true],
  ["is not there", 404, false],
  ["may not be read, as by the CI accounts", 403, false],
])("the exception %s", async (_, status, expected) => {
  const requests = await fakeGoogle({ [EXCEPTION]: { status } });
  expect((await declare(() => exceptionExists("production-471918"))).result).toBe(expected);
  expect(requests.map(({ headers }) => headers["x-goog-user-project"])).toEqual(["production-471918"]);
});
