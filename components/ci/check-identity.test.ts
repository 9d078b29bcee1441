import { describe, expect, test } from "vitest";
import { type Answers, fakeGoogle, logged } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { allSound } from "../../problems/checks.ts";
import { checkIdentity } from "./check-identity.ts";
import { type IdentityAdoption, undeleteIdentity } from "./undelete-identity.ts";

const POOL = "/projects/production-471918/locations/global/workloadIdentityPools/hyperion-github";
const PROVIDER = `${POOL}/providers/github`;

const identity = { project: "production-471918", poolId: "hyperion-github", providerId: "github" };

const adopt = async ({ adoptExisting = false, preview = false, outputs = {} } = {}) => {
  const look = async () => {
    const [fates] = await allSound(checkIdentity(identity, outputs, adoptExisting));
    return undeleteIdentity(identity, fates);
  };
  return (await declare(look, preview)).result;
};

const OURS = "Identities of CI (Pulumi stack project/stack)";

const there = (state = "ACTIVE", description = OURS) => ({ status: 200, body: { state, description } });
const byHand = (state = "ACTIVE") => there(state, "");

/** A pool that is deleted, what the first undelete of it is answered, and the provider in it once it is back. */
function deletedPool({ undeleted = 200, withProvider = false } = {}): Answers {
  let state = "DELETED";
  return {
    [`GET ${POOL}`]: () => there(state),
    // What Google answers of a provider in a deleted pool, it does not say.
    [`GET ${PROVIDER}`]: () => (withProvider && state === "ACTIVE" ? there() : { status: 404 }),
    [`POST ${POOL}:undelete`]: () => {
      const status = state === "DELETED" ? undeleted : 400;
      state = "ACTIVE";
      return { status };
    },
  };
}

/** As the last up left it, before there were marks. */
const NAMED = {
  workloadIdentityProvider:
    "projects/123456789012/locations/global/workloadIdentityPools/hyperion-github/providers/github",
};

const NOTHING = { adoptPool: false, adoptProvider: false };

describe("adopting a workload identity", () => {
  test.each<[string, boolean, Answers, IdentityAdoption]>([
    ["finds nothing", true, {}, NOTHING],
    [
      "takes up what has this stack's mark, as after a lost state",
      false,
      { [`GET ${POOL}`]: there(), [`GET ${PROVIDER}`]: there() },
      { adoptPool: true, adoptProvider: true },
    ],
    [
      "takes over what no stack made where it is told to",
      true,
      { [`GET ${POOL}`]: byHand(), [`GET ${PROVIDER}`]: byHand() },
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

  test("takes what the last up made for its own, whatever its description", async () => {
    await fakeGoogle({ [`GET ${POOL}`]: byHand(), [`GET ${PROVIDER}`]: byHand() });
    expect(await adopt({ outputs: NAMED })).toEqual({ adoptPool: true, adoptProvider: true });
  });

  test("asks nothing where nobody is trusted", async () => {
    const requests = await fakeGoogle({});
    const { result } = await declare(() => checkIdentity(undefined, {}, true));
    expect(result).toEqual({ found: { pool: "create", provider: "create" }, problems: [] });
    expect(requests).toEqual([]);
  });

  test("stops where somebody made them by hand, with what they are and the commands", async () => {
    await fakeGoogle({
      [`GET ${POOL}`]: byHand(),
      [`GET ${PROVIDER}`]: {
        status: 200,
        body: {
          attributeCondition: "assertion.repository_id == '7'",
          oidc: { issuerUri: "https://ci.example.com" },
        },
      },
    });
    await expect(adopt()).rejects.toThrow(
      [
        "2 problems; nothing was changed.",
        "",
        POOL.slice(1),
        "  found:   an identity pool that exists already, and that no stack is known to have made: its state is ACTIVE",
        "  allowed: what this stack (project/stack) made",
        "  fix:     npm run pulumi -- config set hyperion-registry:adoptExisting true   # takes it over as it is",
        "           or name another: npm run pulumi -- config set hyperion-registry:githubPoolId NAME",
        "",
        PROVIDER.slice(1),
        "  found:   a provider that exists already, and that no stack is known to have made: its state is ACTIVE; its issuer is https://ci.example.com; its condition is assertion.repository_id == '7'",
      ].join("\n"),
    );
  });

  test("stops where another stack made them, even where it is told to adopt, deleted or not", async () => {
    const another = "Identities of CI (Pulumi stack hyperion-registry/production)";
    for (const state of ["ACTIVE", "DELETED"]) {
      await fakeGoogle({ [`GET ${POOL}`]: there(state, another) });
      await expect(adopt({ adoptExisting: true })).rejects.toThrow(
        [
          "  found:   an identity pool that the stack hyperion-registry/production made: its state is " +
            state,
          "  allowed: what this stack (project/stack) made",
          "  fix:     name one of this stack's own: npm run pulumi -- config set hyperion-registry:githubPoolId NAME",
          "           or where that stack is gone: gcloud iam workload-identity-pools update hyperion-github --project=production-471918 --location=global --description= && npm run pulumi -- config set hyperion-registry:adoptExisting true",
        ].join("\n"),
      );
    }
  });

  test("looks a provider up again in a pool that it undeleted", async () => {
    logged();
    await fakeGoogle(deletedPool({ withProvider: true }));
    expect(await adopt()).toEqual({ adoptPool: true, adoptProvider: true });
  });

  test("undeletes at up what a destroy left soft-deleted, and imports it", async () => {
    const lines = logged();
    await fakeGoogle(deletedPool());
    expect(await adopt()).toEqual({ adoptPool: true, adoptProvider: false });
    expect(lines.info).toEqual([
      "projects/production-471918/locations/global/workloadIdentityPools/hyperion-github was deleted less than 30 days ago, and Google keeps its name taken: undeleted it, and will update it in place.",
    ]);
  });

  test("changes nothing at preview", async () => {
    const lines = logged();
    const requests = await fakeGoogle({ [`GET ${POOL}`]: there("DELETED") });
    expect(await adopt({ preview: true })).toEqual(NOTHING);
    expect(requests.map(({ what }) => what)).toEqual([`GET ${POOL}`, `GET ${PROVIDER}`]);
    expect(lines.info[0]).toContain("pulumi up will undelete it");
  });

  test("goes on where the answer to an undelete was lost", async () => {
    logged();
    await fakeGoogle(deletedPool({ undeleted: 503 }));
    expect(await adopt()).toMatchObject({ adoptPool: true });
  });
});
