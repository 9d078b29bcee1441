import { expect, test } from "vitest";
import { fakeGoogle, logged, refuseConnections } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { findPublicAccess, type ReaderSettings } from "./find-public-access.ts";

const POLICY =
  "GET /projects/production-471918/locations/us-central1/repositories/hyperion-public:getIamPolicy";
const READER = "roles/artifactregistry.reader";
const EVERYBODY = { role: READER, members: ["user:dana@example.com", "allUsers"] };

const closed: ReaderSettings = {
  project: "production-471918",
  region: "us-central1",
  repositoryId: "hyperion-public",
  publicAccess: false,
  readers: [],
};

async function check(changes: Partial<ReaderSettings> = {}, outputs: Record<string, unknown> = {}) {
  const { warn } = logged();
  const { result } = await declare(() => findPublicAccess({ ...closed, ...changes }, outputs));
  return { isPublic: result, warn };
}

const policy = (...bindings: object[]) => ({ [POLICY]: { status: 200, body: { bindings } } });

test("M3: warns of a public binding of another owner, with the command that removes it", async () => {
  await fakeGoogle(policy(EVERYBODY));
  expect(await check()).toEqual({
    isPublic: true,
    warn: [
      "The registry is public, though the settings do not say so: allUsers has roles/artifactregistry.reader on hyperion-public, by a binding of another owner. Remove it: gcloud artifacts repositories remove-iam-policy-binding hyperion-public --project=production-471918 --location=us-central1 --member=allUsers --role=roles/artifactregistry.reader",
    ],
  });
});

test("sends no request if the settings make the registry public", async () => {
  const requests = await fakeGoogle({});
  expect(await check({ publicAccess: true })).toEqual({ isPublic: true, warn: [] });
  expect(requests).toEqual([]);
});

test("ignores the stack's own binding, which this up removes", async () => {
  await fakeGoogle(policy(EVERYBODY));
  const outputs = { publicAccess: true, readers: ["allUsers"] };
  expect(await check({}, outputs)).toEqual({ isPublic: false, warn: [] });
});

test("warns of the same principal with another role", async () => {
  await fakeGoogle(policy({ role: "roles/artifactregistry.writer", members: ["allUsers"] }));
  const { isPublic, warn } = await check({}, { readers: ["allUsers"] });
  expect([isPublic, warn.length]).toEqual([true, 1]);
});

test("warns of allAuthenticatedUsers that is not among the readers, and does not count it as everyone", async () => {
  await fakeGoogle(policy({ role: READER, members: ["allAuthenticatedUsers"] }));
  const { isPublic, warn } = await check();
  expect([isPublic, warn.length]).toEqual([false, 1]);
  expect(await check({ readers: ["allAuthenticatedUsers"] })).toEqual({ isPublic: false, warn: [] });
});

test.each([
  ["does not exist", 404, false, {}],
  ["the CI accounts have no permission to read", 403, true, { info: "Google answered 403." }],
  ["cannot be read", 503, true, { warn: "Google answered 503." }],
])("a policy that %s", async (_, status, expected, said: { info?: string; warn?: string }) => {
  const requests = await fakeGoogle({ [POLICY]: { status } });
  const lines = logged();
  const { result } = await declare(() => findPublicAccess(closed, { publicAccess: true }));
  const unread = (why?: string) =>
    why === undefined ? [] : [`Public bindings of hyperion-public are not checked: ${why}`];
  expect([result, lines.info, lines.warn]).toEqual([expected, unread(said.info), unread(said.warn)]);
  expect(requests).toHaveLength(1);
});

test("returns the result of the last up if Google is unreachable", async () => {
  refuseConnections();
  const { isPublic, warn } = await check();
  expect([isPublic, warn]).toEqual([
    false,
    [expect.stringMatching(/^Public bindings of hyperion-public are not checked/)],
  ]);
});
