import { afterEach, describe, expect, test, vi } from "vitest";
import { adoption } from "./adoption.ts";
import { parseSettings } from "../settings/parse.ts";
import type { Settings } from "../settings/schema.ts";
import { stackConfig } from "../test/support/default-settings.ts";
import { type Answers, fakeGoogle, logged } from "../test/support/fake-google.ts";
import { declare } from "../test/support/mocks.ts";

afterEach(() => vi.restoreAllMocks());

const REPOSITORY = "/projects/production-471918/locations/us-central1/repositories/hyperion-public";
const POOL = "/projects/production-471918/locations/global/workloadIdentityPools/hyperion-github";
const PROVIDER = `${POOL}/providers/github`;
const EXCEPTION = "/projects/production-471918/policies/iam.allowedPolicyMemberDomains";
const github = { githubRepository: "HyperionWave-AI/dev-squad" };

const adopt = async (changes: Record<string, unknown>, preview = false) =>
  (await declare(() => adoption(parseSettings(stackConfig(changes), []).settings as Settings), preview))
    .result;

const there = (state = "ACTIVE") => ({ status: 200, body: { state } });

describe("adoption", () => {
  test.each<[string, Record<string, unknown>, Answers, Awaited<ReturnType<typeof adopt>>, number]>([
    [
      "asks nothing by default",
      {},
      {},
      { repository: false, pool: false, provider: false, exception: false },
      0,
    ],
    [
      "finds nothing",
      { adoptExisting: true },
      {},
      { repository: false, pool: false, provider: false, exception: false },
      1,
    ],
    [
      "finds the repository",
      { adoptExisting: true },
      { [`GET ${REPOSITORY}`]: there() },
      { repository: true, pool: false, provider: false, exception: false },
      1,
    ],
    [
      "counts a disabled API as nothing there",
      { adoptExisting: true },
      {
        [`GET ${REPOSITORY}`]: {
          status: 403,
          body: { error: { details: [{ reason: "SERVICE_DISABLED" }] } },
        },
      },
      { repository: false, pool: false, provider: false, exception: false },
      1,
    ],
    [
      "leaves an active pool alone unless told",
      github,
      { [`GET ${POOL}`]: there(), [`GET ${PROVIDER}`]: there() },
      { repository: false, pool: false, provider: false, exception: false },
      2,
    ],
    [
      "finds pool and provider",
      { ...github, adoptExisting: true },
      { [`GET ${POOL}`]: there(), [`GET ${PROVIDER}`]: there() },
      { repository: false, pool: true, provider: true, exception: false },
      3,
    ],
    [
      "finds the exception from the organization's policy",
      { adoptExisting: true, publicAccess: true, overrideDomainRestrictedSharing: true },
      { [`GET ${EXCEPTION}`]: { status: 200, body: { name: EXCEPTION.slice(1) } } },
      { repository: false, pool: false, provider: false, exception: true },
      2,
    ],
  ])("%s", async (_, changes, answers, expected, count) => {
    const requests = await fakeGoogle(answers);
    expect(await adopt(changes)).toEqual(expected);
    expect(requests).toHaveLength(count);
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
    expect(await adopt(github)).toEqual({ repository: false, pool: true, provider: false, exception: false });
    expect(lines.info).toEqual([
      "projects/production-471918/locations/global/workloadIdentityPools/hyperion-github was deleted less than 30 days ago, and Google keeps its name taken: undeleted it, and will update it in place.",
    ]);
  });

  test("changes nothing at preview", async () => {
    const lines = logged();
    const requests = await fakeGoogle({ [`GET ${POOL}`]: there("DELETED") });
    expect(await adopt(github, true)).toEqual({
      repository: false,
      pool: false,
      provider: false,
      exception: false,
    });
    expect(requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
    expect(lines.info[0]).toContain("pulumi up will undelete it");
  });

  test("lets the CI accounts through, which may not read identity pools", async () => {
    await fakeGoogle({ [`GET ${POOL}`]: { status: 403 }, [`GET ${PROVIDER}`]: { status: 403 } });
    expect(await adopt(github)).toEqual({
      repository: false,
      pool: false,
      provider: false,
      exception: false,
    });
  });

  test("asks again after an error that passes", async () => {
    const answers = [503, 429, 200];
    const requests = await fakeGoogle({ [`GET ${REPOSITORY}`]: () => ({ status: answers.shift() ?? 500 }) });
    expect(await adopt({ adoptExisting: true })).toMatchObject({ repository: true });
    expect(requests).toHaveLength(3);
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
    expect(await adopt(github)).toMatchObject({ pool: true });
  });

  test("stops where it may not look", async () => {
    await fakeGoogle({ [`GET ${REPOSITORY}`]: { status: 403 } });
    await expect(adopt({ adoptExisting: true })).rejects.toThrow(
      "Google answered 403 to the question whether it exists",
    );
  });
});
