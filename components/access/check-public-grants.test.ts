import { expect, test } from "vitest";
import { fakeGoogle, logged, nobodyAnswers } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { checkPublicGrants, type Wanted } from "./check-public-grants.ts";

const POLICY =
  "GET /projects/production-471918/locations/us-central1/repositories/hyperion-public:getIamPolicy";
const READER = "roles/artifactregistry.reader";
const EVERYBODY = { role: READER, members: ["user:dana@example.com", "allUsers"] };

const closed: Wanted = {
  project: "production-471918",
  region: "us-central1",
  repositoryId: "hyperion-public",
  publicAccess: false,
  readers: [],
};

async function check(changes: Partial<Wanted> = {}, outputs: Record<string, unknown> = {}) {
  const { warn } = logged();
  const { result } = await declare(() => checkPublicGrants({ ...closed, ...changes }, outputs));
  return { isPublic: result, warn };
}

const policy = (...bindings: object[]) => ({ [POLICY]: { status: 200, body: { bindings } } });

test("M3: a public binding that is somebody else's is told, with the command that takes it away", async () => {
  await fakeGoogle(policy(EVERYBODY));
  expect(await check()).toEqual({
    isPublic: true,
    warn: [
      "The registry is public, though the settings do not say so: allUsers has roles/artifactregistry.reader on hyperion-public, by a binding that this stack did not make. Take it away: gcloud artifacts repositories remove-iam-policy-binding hyperion-public --project=production-471918 --location=us-central1 --member=allUsers --role=roles/artifactregistry.reader",
    ],
  });
});

test("nothing is asked where the stack itself makes it public", async () => {
  const requests = await fakeGoogle({});
  expect(await check({ publicAccess: true })).toEqual({ isPublic: true, warn: [] });
  expect(requests).toEqual([]);
});

test("the stack's own binding, which goes with this up, is not somebody else's", async () => {
  await fakeGoogle(policy(EVERYBODY));
  const outputs = { publicAccess: true, readers: ["allUsers"] };
  expect(await check({}, outputs)).toEqual({ isPublic: false, warn: [] });
});

test("the same principal by another role is", async () => {
  await fakeGoogle(policy({ role: "roles/artifactregistry.writer", members: ["allUsers"] }));
  const { isPublic, warn } = await check({}, { readers: ["allUsers"] });
  expect([isPublic, warn.length]).toEqual([true, 1]);
});

test("allAuthenticatedUsers is told where it is not among the readers, and is not everybody", async () => {
  await fakeGoogle(policy({ role: READER, members: ["allAuthenticatedUsers"] }));
  const { isPublic, warn } = await check();
  expect([isPublic, warn.length]).toEqual([false, 1]);
  expect(await check({ readers: ["allAuthenticatedUsers"] })).toEqual({ isPublic: false, warn: [] });
});

test.each([
  ["is not there", 404, false, {}],
  ["is not readable for the caller, as for the CI accounts", 403, true, { info: "Google answered 403." }],
  ["cannot be read now", 503, true, { warn: "Google answered 503." }],
])("a policy that %s", async (_, status, expected, said: { info?: string; warn?: string }) => {
  const requests = await fakeGoogle({ [POLICY]: { status } });
  const lines = logged();
  const { result } = await declare(() => checkPublicGrants(closed, { publicAccess: true }));
  const unread = (why?: string) =>
    why === undefined ? [] : [`Whether somebody else made hyperion-public public is not checked: ${why}`];
  expect([result, lines.info, lines.warn]).toEqual([expected, unread(said.info), unread(said.warn)]);
  expect(requests).toHaveLength(1);
});

test("with Google out of reach it is as the last up found it", async () => {
  nobodyAnswers();
  const { isPublic, warn } = await check();
  expect([isPublic, warn]).toEqual([false, [expect.stringMatching(/^Whether somebody else made/)]]);
});
