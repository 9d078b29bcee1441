import { describe, expect, test } from "vitest";
import { type Answers, fakeGoogle, logged } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { runChecks } from "../../problems/checks.ts";
import { checkIdentity } from "./check-identity.ts";
import { type IdentityAdoption, undeleteIdentity } from "./undelete-identity.ts";

const POOL = "/projects/production-471918/locations/global/workloadIdentityPools/hyperion-github";
const PROVIDER = `${POOL}/providers/github`;

const identity = { project: "production-471918", poolId: "hyperion-github", providerId: "github" };

const adopt = async ({ adoptExisting = false, preview = false, outputs = {} } = {}) => {
  const look = async () => {
    const actions = await runChecks({ identity: checkIdentity(identity, outputs, adoptExisting) });
    return undeleteIdentity(identity, actions.identity);
  };
  return (await declare(look, preview)).result;
};

const OURS = "Identities of CI (Pulumi stack project/stack)";

const there = (state = "ACTIVE", description = OURS) => ({ status: 200, body: { state, description } });
const byHand = (state = "ACTIVE") => there(state, "");

/**
 * A deleted pool. @param undeleted status of the first undelete. @param withProvider whether the undeleted pool has a
 * provider.
 */
function deletedPool({ undeleted = 200, withProvider = false } = {}): Answers {
  let state = "DELETED";
  return {
    [`GET ${POOL}`]: () => there(state),
    // Google does not document its answer for a provider in a deleted pool.
    [`GET ${PROVIDER}`]: () => (withProvider && state === "ACTIVE" ? there() : { status: 404 }),
    [`POST ${POOL}:undelete`]: () => {
      const status = state === "DELETED" ? undeleted : 400;
      state = "ACTIVE";
      return { status };
    },
  };
}

const LAST_OUTPUTS = {
  workloadIdentityProvider:
    "projects/123456789012/locations/global/workloadIdentityPools/hyperion-github/providers/github",
};

const NOTHING = { adoptPool: false, adoptProvider: false };

describe("adopting a workload identity", () => {
  test.each<[string, boolean, Answers, IdentityAdoption]>([
    ["imports nothing that does not exist", true, {}, NOTHING],
    [
      "imports resources with this stack's mark, for example after a lost state",
      false,
      { [`GET ${POOL}`]: there(), [`GET ${PROVIDER}`]: there() },
      { adoptPool: true, adoptProvider: true },
    ],
  ])("%s", async (_, adoptExisting, answers, expected) => {
    const requests = await fakeGoogle(answers);
    expect(await adopt({ adoptExisting })).toEqual(expected);
    expect(requests).toHaveLength(2);
  });

  test("imports what the last outputs name, whatever its description", async () => {
    await fakeGoogle({ [`GET ${POOL}`]: byHand(), [`GET ${PROVIDER}`]: byHand() });
    expect(await adopt({ outputs: LAST_OUTPUTS })).toEqual({ adoptPool: true, adoptProvider: true });
  });

  test("sends no request without a workload identity", async () => {
    const requests = await fakeGoogle({});
    const { result } = await declare(() => checkIdentity(undefined, {}, true));
    expect(result).toEqual({ found: { pool: "create", provider: "create" }, problems: [] });
    expect(requests).toEqual([]);
  });

  test("reports what was created by hand, with its properties and the commands", async () => {
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
        "  found:   an identity pool that already exists and belongs to no stack: its state is ACTIVE",
        "  allowed: a resource of this stack (project/stack)",
        "  fix:     npm run pulumi -- config set hyperion-registry:adoptExisting true   # imports it as it is",
        "           or use another name: npm run pulumi -- config set hyperion-registry:githubPoolId NAME",
        "",
        PROVIDER.slice(1),
        "  found:   a provider that already exists and belongs to no stack: its state is ACTIVE; its issuer is https://ci.example.com; its condition is assertion.repository_id == '7'",
      ].join("\n"),
    );
  });

  test("reports what another stack owns, even with adoptExisting, deleted or not", async () => {
    const another = "Identities of CI (Pulumi stack hyperion-registry/production)";
    for (const state of ["ACTIVE", "DELETED"]) {
      await fakeGoogle({ [`GET ${POOL}`]: there(state, another) });
      await expect(adopt({ adoptExisting: true })).rejects.toThrow(
        [
          "  found:   an identity pool that belongs to the stack hyperion-registry/production: its state is " +
            state,
          "  allowed: a resource of this stack (project/stack)",
          "  fix:     use another name: npm run pulumi -- config set hyperion-registry:githubPoolId NAME",
          "           or if that stack no longer exists: gcloud iam workload-identity-pools update hyperion-github --project=production-471918 --location=global --description= && npm run pulumi -- config set hyperion-registry:adoptExisting true",
        ].join("\n"),
      );
    }
  });

  test("looks up the provider in an undeleted pool again", async () => {
    logged();
    await fakeGoogle(deletedPool({ withProvider: true }));
    expect(await adopt()).toEqual({ adoptPool: true, adoptProvider: true });
  });

  test("undeletes a soft-deleted pool at up, and imports it", async () => {
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

  test("continues if the answer to an undelete was lost", async () => {
    logged();
    await fakeGoogle(deletedPool({ undeleted: 503 }));
    expect(await adopt()).toMatchObject({ adoptPool: true });
  });
});
