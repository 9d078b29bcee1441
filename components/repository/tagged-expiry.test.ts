import { expect, test } from "vitest";
import { fakeGoogle } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { keepsAllTagged } from "./tagged-expiry.ts";

const NAME = "projects/p/locations/us-central1/repositories/r";

const untagged = { action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "1209600s" } };
const recent = { action: "KEEP", mostRecentVersions: { keepCount: 10 } };
const tagged = { action: "DELETE", condition: { tagState: "TAGGED", olderThan: "1209600s" } };
const any = { action: "DELETE", condition: { olderThan: "1209600s" } };
const kept = { action: "KEEP", condition: { tagState: "TAGGED" } };

const disabled = { error: { details: [{ reason: "SERVICE_DISABLED" }] } };

test.each<[string, number, object, boolean]>([
  ["without a policy", 200, {}, true],
  ["as they were before builds expired", 200, { cleanupPolicies: { untagged, recent, kept } }, true],
  ["that delete what is tagged", 200, { cleanupPolicies: { untagged, tagged } }, false],
  ["that delete what is old, tagged or not", 200, { cleanupPolicies: { any } }, false],
  ["that only log", 200, { cleanupPolicies: { tagged }, cleanupPolicyDryRun: true }, true],
  ["that may not be read", 403, {}, false],
  ["of an API that is not enabled", 403, disabled, false],
  ["of no repository", 404, {}, false],
])("policies %s", async (_, status, body, keeps) => {
  await fakeGoogle({ [`GET /${NAME}`]: { status, body } });
  expect((await declare(() => keepsAllTagged(NAME))).result).toBe(keeps);
});

test("policies that Google does not tell stop the run", async () => {
  await fakeGoogle({ [`GET /${NAME}`]: { status: 400, body: { error: { message: "no" } } } });
  await expect(declare(() => keepsAllTagged(NAME))).rejects.toThrow(
    `${NAME}\n  found:   Google answered 400 (no) to the question what its cleanup deletes`,
  );
});
