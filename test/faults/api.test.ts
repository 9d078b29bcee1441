import { afterEach, beforeAll, describe, expect } from "vitest";
import type { RequestCount } from "../../sandbox/emulator/support/faults/requests.ts";
import { mintAccessToken } from "../../sandbox/lib/tokens.ts";
import { clearFaults, fault, faultsLeft, google, grant, PROJECT } from "../support/google.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { runBeginning, startEmpty, surviveLifecycle } from "./lifecycle.ts";
import { expectDeclared } from "./declared.ts";
import { type Command, expectFailure, fixAllByUp, fixByUp, pluginsOf, runAndSummarize } from "./fixing.ts";
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
/** The routes that the stack uses in its lifecycle, by method and route. */
const lifecycle = new Map<string, Route>();

beforeAll(async () => {
  // Shortens the back-off of the fake providers.
  sandbox.env["HYPERION_FAKE_PROVIDER_BACKOFF_MS"] = "100";
  await sandbox.set({ publishImages: "false", githubRepository: "HyperionWave-AI/dev-squad", ...PUBLIC });
  await startEmpty(sandbox);
  await forgetRequests();
  await runBeginning(sandbox);
  await noteRoutes();
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
    await forgetRequests();
    let output = "";
    // The provider goes before its pool.
    for (const deletion of SOFT_DELETIONS.toReversed()) {
      await setFaults(LOST, [deletion]);
      output = await expectFailure(sandbox, "destroy");
      expect(await faultsLeft(sandbox)).toEqual([]);
      expect(await runAndSummarize(sandbox, "refresh")).toContain("1 deleted");
    }
    const up = await runAndSummarize(sandbox, "up");
    expect(up).toContain("2 imported");
    await noteRoutes();
    await expectDeclared(sandbox);
    return {
      happened: "deleted; the next `up` undeletes it",
      seen: seenIn(output, /Error 400/),
      next: `\`pulumi refresh\`, then ${up}`,
      plugins: pluginsOf(sandbox),
    };
  });

  survivesAll(
    [
      "a grant to the caller has not taken effect yet (403)",
      "each operation of a creation ends in an error",
      "the answer to each creation is lost",
    ],
    async () => {
      // Permissions on organization policies cannot be granted on a project.
      await sandbox.set({ publicAccess: "false", overrideDomainRestrictedSharing: "false" });
      await startEmpty(sandbox);
      const newcomer = "user:newcomer@example.com";
      const seconds = 600;
      await fault(sandbox, { kind: "iam-spreading", seconds });
      await grant(sandbox, "roles/owner", newcomer, PROJECT);
      const token = await mintAccessToken(sandbox.root, newcomer);
      const theirs = sandbox.with({ GOOGLE_OAUTH_ACCESS_TOKEN: token });
      const refused = await expectFailure(theirs);
      await clearFaults(sandbox);
      await fault(sandbox, { kind: "clock-skew", seconds });

      const creations = OPERATIONS.filter(({ method }) => method === "POST");
      await setFaults({ kind: "operation-error" }, [...creations, ENABLE]);
      await setFaults({ ...LOST, skip: 1 }, CREATED_ONCE);
      const output = await failUntilDone("up", theirs);
      return fixAllByUp(theirs, {
        "a grant to the caller has not taken effect yet (403)": {
          happened: "nothing is changed",
          seen: seenIn(refused, /Error 403/),
          before: "minutes later ",
        },
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
    await sandbox.unset("adoptExisting");
    return { ...row, next: `\`adoptExisting\`, ${row.next}` };
  });

  survivesAll(
    [
      "each route answers 429, then 500, then 503",
      "each route answers slowly once, and each operation is pending at a poll",
      "the answer to each repeatable change is lost",
    ],
    async () => {
      await startEmpty(sandbox);
      const routes = [...lifecycle.values()];
      expect(routes.length).toBeGreaterThan(20);
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
      await setFaults({ kind: "delay", milliseconds: 300, skip: 3 }, routes);
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
});

async function forgetRequests(): Promise<void> {
  await google(sandbox, "DELETE", "sandbox/requests");
}

/** Adds the routes of the requests so far to those of the lifecycle. */
async function noteRoutes(): Promise<void> {
  const { routes } = (await google(sandbox, "GET", "sandbox/requests")) as { routes: RequestCount[] };
  for (const { method, route } of routes) lifecycle.set(`${method} ${route}`, { method, route });
}

/** Runs a command until every fault of a request has occurred, each time with a failure; returns the output. */
async function failUntilDone(command: Command, as: Sandbox = sandbox): Promise<string> {
  const outputs: string[] = [];
  while ((await faultsLeft(sandbox)).some((left) => "route" in left))
    outputs.push(await expectFailure(as, command));
  return outputs.join("\n");
}

/** Sets a fault on each of these routes. */
async function setFaults(settings: Record<string, unknown>, targets: readonly Route[]): Promise<void> {
  for (const { method, route } of targets) await fault(sandbox, { ...settings, method, route: `/${route}` });
}
