import { afterEach, beforeAll, describe, expect } from "vitest";
import type { RequestCount } from "../../sandbox/emulator/support/faults/requests.ts";
import { mintAccessToken } from "../../sandbox/lib/tokens.ts";
import { waitUntil } from "../../sandbox/lib/processes.ts";
import { clearFaults, fault, google, grant, PROJECT } from "../support/google.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { runLifecycle, startEmpty, surviveLifecycle } from "./lifecycle.ts";
import { expectFailure, fixByRefresh, fixByUp, runAndSummarize } from "./fixing.ts";
import { seenIn } from "./seen.ts";
import { survives } from "./survives.ts";

type Route = Pick<RequestCount, "method" | "route">;

const REPOSITORIES = "v1/projects/{project}/locations/{location}/repositories";
const POOLS = "v1/projects/{project}/locations/global/workloadIdentityPools";

/** The requests that Google answers with an operation. */
const OPERATIONS = [
  { what: "APIs are enabled", method: "POST", route: "v1/projects/{project}/services:batchEnable" },
  { what: "the repository is created", method: "POST", route: REPOSITORIES },
  { what: "the identity pool is created", method: "POST", route: POOLS },
  { what: "the provider is created", method: "POST", route: `${POOLS}/{pool}/providers` },
  { what: "the repository is deleted", method: "DELETE", route: `${REPOSITORIES}/{repository}` },
  { what: "the identity pool is deleted", method: "DELETE", route: `${POOLS}/{pool}` },
  { what: "the provider is deleted", method: "DELETE", route: `${POOLS}/{pool}/providers/{provider}` },
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
const EXCEPTION = {
  what: "the exception from the organization's policy is created",
  method: "POST",
  route: "v2/projects/{project}/policies",
};

const sandbox = useSandbox();
/** The routes of Google's APIs that the stack uses in its lifecycle. */
let routes: Route[];

beforeAll(async () => {
  // Shortens the back-off of the fake providers.
  sandbox.env["HYPERION_FAKE_PROVIDER_BACKOFF_MS"] = "100";
  await sandbox.set({
    publishImages: "false",
    githubRepository: "HyperionWave-AI/dev-squad",
    publicAccess: "true",
    overrideDomainRestrictedSharing: "true",
  });
  await startEmpty(sandbox);
  await google(sandbox, "DELETE", "sandbox/requests");
  await runLifecycle(sandbox);
  routes = ((await google(sandbox, "GET", "sandbox/requests")) as { routes: RequestCount[] }).routes;
  expect(routes.length).toBeGreaterThan(20);
});

afterEach(() => clearFaults(sandbox));
describe("Google's APIs", () => {
  for (const status of [429, 500, 503])
    survives(`each route answers ${status} once`, async () => {
      await startEmpty(sandbox);
      await setFaults({ kind: "status", status }, routes);
      return surviveLifecycle(sandbox, "retried with back-off");
    });

  survives("each route answers slowly once", async () => {
    await startEmpty(sandbox);
    await setFaults({ kind: "delay", milliseconds: 700 }, routes);
    return surviveLifecycle(sandbox, "waits for the answer");
  });

  survives("each operation is pending at the first poll", async () => {
    await startEmpty(sandbox);
    await setFaults(
      { kind: "operation-pending" },
      routes.filter(({ route }) => route.endsWith("operations/{operation}")),
    );
    return surviveLifecycle(sandbox, "waits for the answer");
  });

  survives("the answer to each repeatable change is lost", async () => {
    await startEmpty(sandbox);
    const changing = routes.filter(
      ({ method, route }) =>
        method !== "GET" &&
        !route.endsWith(":getIamPolicy") &&
        ![...CREATED_ONCE, EXCEPTION, ...SOFT_DELETIONS].some(
          (one) => one.method === method && one.route === route,
        ),
    );
    await setFaults({ kind: "status", status: 503, after: true }, changing);
    return surviveLifecycle(sandbox, "the retry finds the change done");
  });

  for (const target of CREATED_ONCE)
    survives(`the answer is lost when ${target.what}`, async () => {
      await startEmpty(sandbox);
      await setFaults({ kind: "status", status: 503, after: true }, [target]);
      const output = await expectFailure(sandbox);
      return fixByUp(
        sandbox,
        "the retry finds the resource and continues; nothing is created twice",
        seenIn(output, /Error 409/),
      );
    });

  survives(`the answer is lost when ${EXCEPTION.what}`, async () => {
    await startEmpty(sandbox);
    await setFaults({ kind: "status", status: 503, after: true }, [EXCEPTION]);
    const output = await expectFailure(sandbox);
    await sandbox.set({ adoptExisting: "true" });
    const row = await fixByUp(
      sandbox,
      "the retry finds the resource; adopted, not created twice",
      seenIn(output, /Error 409/),
    );
    await sandbox.unset("adoptExisting");
    return { ...row, next: `\`adoptExisting\`, ${row.next}` };
  });

  for (const target of SOFT_DELETIONS)
    survives(`the answer is lost when ${target.what}`, async () => {
      await startEmpty(sandbox);
      await runAndSummarize(sandbox, "up");
      await setFaults({ kind: "status", status: 503, after: true }, [target]);
      const output = await expectFailure(sandbox, "destroy");
      const row = await fixByRefresh(sandbox, "deleted; the next `up` undeletes it", "imported");
      return { ...row, seen: seenIn(output, /Error 400/) };
    });

  for (const target of OPERATIONS)
    survives(`an operation ends in an error: ${target.what}`, async () => {
      await startEmpty(sandbox);
      const deletes = target.method === "DELETE";
      if (deletes) await runAndSummarize(sandbox, "up");
      await setFaults({ kind: "operation-error" }, [target, ENABLE]);
      const output = await expectFailure(sandbox, deletes ? "destroy" : "up");
      return fixByUp(sandbox, "earlier changes stay", seenIn(output, /Error waiting for/));
    });

  survives("a grant to the caller has not taken effect yet (403)", async () => {
    // Permissions on organization policies cannot be granted on a project.
    await sandbox.set({ publicAccess: "false", overrideDomainRestrictedSharing: "false" });
    await startEmpty(sandbox);
    const newcomer = "user:newcomer@example.com";
    await fault(sandbox, { kind: "iam-spreading", seconds: 15 });
    await grant(sandbox, "roles/owner", newcomer, PROJECT);
    const token = await mintAccessToken(sandbox.root, newcomer);
    const theirs = sandbox.with({ GOOGLE_OAUTH_ACCESS_TOKEN: token });
    const output = await expectFailure(theirs);
    const spread = async () => (await sandbox.google("GET", PROJECT, undefined, newcomer)).status === 200;
    expect(await waitUntil(spread, 60_000)).toBe(true);
    const row = await fixByUp(theirs, "nothing is changed", seenIn(output, /Error 403/));
    return { ...row, next: `minutes later ${row.next}` };
  });
});

/** Sets a fault on each of these routes. */
async function setFaults(settings: Record<string, unknown>, targets: readonly Route[]): Promise<void> {
  for (const { method, route } of targets) await fault(sandbox, { ...settings, method, route: `/${route}` });
}
