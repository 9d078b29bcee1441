import { afterEach, beforeAll, describe, expect } from "vitest";
import type { RequestCount } from "../../sandbox/emulator/support/faults/requests.ts";
import { mintAccessToken } from "../../sandbox/lib/tokens.ts";
import { clearFaults, fault, faultsLeft, google, grant, PROJECT } from "../support/google.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { runLifecycle, startEmpty, surviveLifecycle } from "./lifecycle.ts";
import { type Command, expectFailure, fixAllByUp, fixByUp, runAndSummarize } from "./fixing.ts";
import { seenIn } from "./seen.ts";
import { survives, survivesAll } from "./survives.ts";

type Route = Pick<RequestCount, "method" | "route">;

const REPOSITORIES = "v1/projects/{project}/locations/{location}/repositories";
const POOLS = "v1/projects/{project}/locations/global/workloadIdentityPools";

/** The requests that Google answers with an operation. */
const OPERATIONS = [
  { method: "POST", route: "v1/projects/{project}/services:batchEnable" },
  { method: "POST", route: REPOSITORIES },
  { method: "POST", route: POOLS },
  { method: "POST", route: `${POOLS}/{pool}/providers` },
  { method: "DELETE", route: `${REPOSITORIES}/{repository}` },
  { method: "DELETE", route: `${POOLS}/{pool}` },
  { method: "DELETE", route: `${POOLS}/{pool}/providers/{provider}` },
];

/** The request for a single API, which follows a failed batch request. */
const ENABLE: Route = { method: "POST", route: "v1/projects/{project}/services/{name}:enable" };

/** Deletions that cannot be repeated: Google keeps the resource soft-deleted for 30 days. */
const SOFT_DELETIONS = OPERATIONS.filter(
  ({ method, route }) => method === "DELETE" && route.startsWith(POOLS),
);

/** Creations that Google refuses to repeat. */
const CREATED_ONCE = OPERATIONS.filter(
  ({ method, route }) => method === "POST" && !route.endsWith(":batchEnable"),
);

/** A policy has no description to name its stack, so the program cannot recognize the exception as its own. */
const EXCEPTION: Route = { method: "POST", route: "v2/projects/{project}/policies" };

/** The change is made, but its answer is lost. */
const LOST = { kind: "status", status: 503, after: true };

/** Public access, by an exception from the organization's policy. */
const PUBLIC = { publicAccess: "true", overrideDomainRestrictedSharing: "true" };

const sandbox = useSandbox();
/** The routes of Google's APIs that the stack uses in its lifecycle. */
let routes: Route[];

beforeAll(async () => {
  // Shortens the back-off of the fake providers.
  sandbox.env["HYPERION_FAKE_PROVIDER_BACKOFF_MS"] = "100";
  await sandbox.set({ publishImages: "false", githubRepository: "HyperionWave-AI/dev-squad", ...PUBLIC });
  await startEmpty(sandbox);
  await google(sandbox, "DELETE", "sandbox/requests");
  await runLifecycle(sandbox);
  routes = ((await google(sandbox, "GET", "sandbox/requests")) as { routes: RequestCount[] }).routes;
  expect(routes.length).toBeGreaterThan(20);
});

afterEach(() => clearFaults(sandbox));

// In this order: a test starts with the stack that the test before it leaves, unless it starts empty.
describe("Google's APIs", () => {
  survives("each operation of a deletion ends in an error", async () => {
    await setFaults(
      { kind: "operation-error" },
      OPERATIONS.filter(({ method }) => method === "DELETE"),
    );
    const output = await failUntilDone("destroy");
    return fixByUp(sandbox, "earlier changes stay", seenIn(output, /Error waiting for/));
  });

  survives("the answer to each soft deletion is lost", async () => {
    let output = "";
    // The provider goes before its pool.
    for (const deletion of SOFT_DELETIONS.toReversed()) {
      await setFaults(LOST, [deletion]);
      output = await expectFailure(sandbox, "destroy");
      expect(await faultsLeft(sandbox)).toEqual([]);
      expect(await runAndSummarize(sandbox, "refresh")).toContain("1 deleted");
    }
    const row = await fixByUp(sandbox, "deleted; the next `up` undeletes it", seenIn(output, /Error 400/));
    expect(row.next).toContain("2 imported");
    return { ...row, next: `\`pulumi refresh\`, then ${row.next}` };
  });

  survivesAll(
    ["each operation of a creation ends in an error", "the answer to each creation is lost"],
    async () => {
      await startEmpty(sandbox);
      const creations = OPERATIONS.filter(({ method }) => method === "POST");
      await setFaults({ kind: "operation-error" }, [...creations, ENABLE]);
      await setFaults({ ...LOST, skip: 1 }, CREATED_ONCE);
      const output = await failUntilDone("up");
      return fixAllByUp(sandbox, {
        "each operation of a creation ends in an error": {
          happened: "earlier changes stay",
          seen: seenIn(output, /Error waiting for/),
        },
        "the answer to each creation is lost": {
          happened: "the retry finds the resource and continues; nothing is created twice",
          seen: seenIn(output, /Error 409/),
        },
      });
    },
  );

  survivesAll(
    [
      "each route answers 429, then 500, then 503",
      "each route answers slowly once, and each operation is pending at a poll",
      "the answer to each repeatable change is lost",
    ],
    async () => {
      await startEmpty(sandbox);
      const repeatable = routes.filter(
        ({ method, route }) =>
          method !== "GET" &&
          !route.endsWith(":getIamPolicy") &&
          ![...CREATED_ONCE, EXCEPTION, ...SOFT_DELETIONS].some(
            (one) => one.method === method && one.route === route,
          ),
      );
      for (const status of [429, 500]) await setFaults({ kind: "status", status }, routes);
      await setFaults(LOST, repeatable);
      await setFaults(
        { kind: "status", status: 503 },
        routes.filter((route) => !repeatable.includes(route)),
      );
      await setFaults({ kind: "delay", milliseconds: 700, skip: 3 }, routes);
      await setFaults(
        { kind: "operation-pending", skip: 3 },
        routes.filter(({ route }) => route.endsWith("operations/{operation}")),
      );
      return surviveLifecycle(sandbox, {
        "each route answers 429, then 500, then 503": "retried with back-off",
        "each route answers slowly once, and each operation is pending at a poll": "waits for the answer",
        "the answer to each repeatable change is lost": "the retry finds the change done",
      });
    },
  );

  survives("a grant to the caller has not taken effect yet (403)", async () => {
    // Permissions on organization policies cannot be granted on a project.
    await sandbox.set({ publicAccess: "false", overrideDomainRestrictedSharing: "false" });
    await startEmpty(sandbox);
    const newcomer = "user:newcomer@example.com";
    const seconds = 600;
    await fault(sandbox, { kind: "iam-spreading", seconds });
    await grant(sandbox, "roles/owner", newcomer, PROJECT);
    const token = await mintAccessToken(sandbox.root, newcomer);
    const theirs = sandbox.with({ GOOGLE_OAUTH_ACCESS_TOKEN: token });
    const output = await expectFailure(theirs);
    await clearFaults(sandbox);
    await fault(sandbox, { kind: "clock-skew", seconds });
    const row = await fixByUp(theirs, "nothing is changed", seenIn(output, /Error 403/));
    return { ...row, next: `minutes later ${row.next}` };
  });

  survives("the answer is lost when the exception from the organization's policy is created", async () => {
    await sandbox.set(PUBLIC);
    await setFaults(LOST, [EXCEPTION]);
    const output = await expectFailure(sandbox);
    await sandbox.set({ adoptExisting: "true" });
    const row = await fixByUp(
      sandbox,
      "the retry finds the resource; adopted, not created twice",
      seenIn(output, /Error 409/),
    );
    return { ...row, next: `\`adoptExisting\`, ${row.next}` };
  });
});

/** Runs a command until every fault has occurred, each time with a failure; returns the output. */
async function failUntilDone(command: Command): Promise<string> {
  const outputs: string[] = [];
  while ((await faultsLeft(sandbox)).length > 0) outputs.push(await expectFailure(sandbox, command));
  return outputs.join("\n");
}

/** Sets a fault on each of these routes. */
async function setFaults(settings: Record<string, unknown>, targets: readonly Route[]): Promise<void> {
  for (const { method, route } of targets) await fault(sandbox, { ...settings, method, route: `/${route}` });
}
