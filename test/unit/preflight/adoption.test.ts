import { afterEach, describe, expect, test, vi } from "vitest";
import { adoption } from "../../../preflight/adoption";
import { parseSettings, type Settings } from "../../../settings";
import { stackConfig } from "../defaults";
import { type Answers, fakeGoogle, logged } from "../fakeGoogle";
import { declare } from "../mocks";

afterEach(() => vi.restoreAllMocks());

const REPOSITORY = "/projects/production-471918/locations/us-central1/repositories/hyperion-public";
const POOL = "/projects/production-471918/locations/global/workloadIdentityPools/hyperion-github";
const PROVIDER = `${POOL}/providers/github`;
const github = { githubRepository: "HyperionWave-AI/dev-squad" };

const adopt = async (changes: Record<string, unknown>, preview = false) =>
  (await declare(() => adoption(parseSettings(stackConfig(changes), []).settings as Settings), preview))
    .result;

const there = (state = "ACTIVE") => ({ status: 200, body: { state } });

describe("adoption", () => {
  test.each<[string, Record<string, unknown>, Answers, Awaited<ReturnType<typeof adopt>>, number]>([
    ["asks nothing by default", {}, {}, { repository: false, pool: false, provider: false }, 0],
    ["finds nothing", { adoptExisting: true }, {}, { repository: false, pool: false, provider: false }, 1],
    [
      "finds the repository",
      { adoptExisting: true },
      { [`GET ${REPOSITORY}`]: there() },
      { repository: true, pool: false, provider: false },
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
      { repository: false, pool: false, provider: false },
      1,
    ],
    [
      "leaves an active pool alone unless told",
      github,
      { [`GET ${POOL}`]: there(), [`GET ${PROVIDER}`]: there() },
      { repository: false, pool: false, provider: false },
      2,
    ],
    [
      "finds pool and provider",
      { ...github, adoptExisting: true },
      { [`GET ${POOL}`]: there(), [`GET ${PROVIDER}`]: there() },
      { repository: false, pool: true, provider: true },
      3,
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
    expect(await adopt(github)).toEqual({ repository: false, pool: true, provider: false });
    expect(lines.info).toEqual([
      "projects/production-471918/locations/global/workloadIdentityPools/hyperion-github was deleted less than 30 days ago, and Google keeps its name taken: undeleted it, and will update it in place.",
    ]);
  });

  test("changes nothing at preview", async () => {
    const lines = logged();
    const requests = await fakeGoogle({ [`GET ${POOL}`]: there("DELETED") });
    expect(await adopt(github, true)).toEqual({ repository: false, pool: false, provider: false });
    expect(requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
    expect(lines.info[0]).toContain("pulumi up will undelete it");
  });

  test("lets the CI accounts through, which may not read identity pools", async () => {
    await fakeGoogle({ [`GET ${POOL}`]: { status: 403 }, [`GET ${PROVIDER}`]: { status: 403 } });
    expect(await adopt(github)).toEqual({ repository: false, pool: false, provider: false });
  });

  test("stops where it may not look", async () => {
    await fakeGoogle({ [`GET ${REPOSITORY}`]: { status: 403 } });
    await expect(adopt({ adoptExisting: true })).rejects.toThrow(
      "Google answered 403 to the question whether it exists",
    );
  });
});
