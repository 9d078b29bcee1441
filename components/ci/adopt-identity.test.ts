import { afterEach, describe, expect, test, vi } from "vitest";
import { type Answers, fakeGoogle, logged } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { adoptIdentity, type IdentityAdoption } from "./adopt-identity.ts";

afterEach(() => vi.restoreAllMocks());

const POOL = "/projects/production-471918/locations/global/workloadIdentityPools/hyperion-github";
const PROVIDER = `${POOL}/providers/github`;

const identity = { project: "production-471918", poolId: "hyperion-github", providerId: "github" };

const adopt = async ({ adoptExisting = false, preview = false } = {}) =>
  (await declare(() => adoptIdentity(identity, adoptExisting), preview)).result;

const there = (state = "ACTIVE") => ({ status: 200, body: { state } });

const NOTHING = { adoptPool: false, adoptProvider: false };

describe("adopting a workload identity", () => {
  test.each<[string, boolean, Answers, IdentityAdoption]>([
    ["finds nothing", true, {}, NOTHING],
    [
      "leaves an active pool alone unless told",
      false,
      { [`GET ${POOL}`]: there(), [`GET ${PROVIDER}`]: there() },
      NOTHING,
    ],
    [
      "finds pool and provider",
      true,
      { [`GET ${POOL}`]: there(), [`GET ${PROVIDER}`]: there() },
      { adoptPool: true, adoptProvider: true },
    ],
    [
      "lets the CI accounts through, which may not read identity pools",
      true,
      { [`GET ${POOL}`]: { status: 403 }, [`GET ${PROVIDER}`]: { status: 403 } },
      NOTHING,
    ],
  ])("%s", async (_, adoptExisting, answers, expected) => {
    const requests = await fakeGoogle(answers);
    expect(await adopt({ adoptExisting })).toEqual(expected);
    expect(requests).toHaveLength(2);
  });

  test("undeletes at up what a destroy left soft-deleted, and imports it", async () => {
    const lines = logged();
    let state = "DELETED";
    await fakeGoogle({
      [`GET ${POOL}`]: () => there(state),
      [`POST ${POOL}:undelete`]: () => {
        state = "ACTIVE";
        return { status: 200 };
      },
    });
    expect(await adopt()).toEqual({ adoptPool: true, adoptProvider: false });
    expect(lines.info).toEqual([
      "projects/production-471918/locations/global/workloadIdentityPools/hyperion-github was deleted less than 30 days ago, and Google keeps its name taken: undeleted it, and will update it in place.",
    ]);
  });

  test("changes nothing at preview", async () => {
    const lines = logged();
    const requests = await fakeGoogle({ [`GET ${POOL}`]: there("DELETED") });
    expect(await adopt({ preview: true })).toEqual(NOTHING);
    expect(requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
    expect(lines.info[0]).toContain("pulumi up will undelete it");
  });

  test("goes on where the answer to an undelete was lost", async () => {
    logged();
    let state = "DELETED";
    await fakeGoogle({
      [`GET ${POOL}`]: () => there(state),
      [`POST ${POOL}:undelete`]: () => {
        const status = state === "DELETED" ? 503 : 400;
        state = "ACTIVE";
        return { status };
      },
    });
    expect(await adopt()).toMatchObject({ adoptPool: true });
  });
});
