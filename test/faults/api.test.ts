import { afterEach, beforeAll, describe, expect } from "vitest";
import type { RequestCount } from "../../sandbox/emulator/support/faults/requests.ts";
import { mintAccessToken } from "../../sandbox/lib/tokens.ts";
import { waitUntil } from "../../sandbox/lib/processes.ts";
import { clearFaults, fault, google, grant, PROJECT } from "../support/google.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { live, lived, startAnew } from "./life.ts";
import { failing, fix, fixed, refreshAndFix } from "./fixing.ts";
import { seenIn } from "./seen.ts";
import { survives } from "./survives.ts";

type Route = Pick<RequestCount, "method" | "route">;

const REPOSITORIES = "v1/projects/{project}/locations/{location}/repositories";
const POOLS = "v1/projects/{project}/locations/global/workloadIdentityPools";

/** What answers with an operation. */
const OPERATIONS = [
  { what: "APIs are enabled", method: "POST", route: "v1/projects/{project}/services:batchEnable" },
  { what: "the repository is created", method: "POST", route: REPOSITORIES },
  { what: "the identity pool is created", method: "POST", route: POOLS },
  { what: "the provider is created", method: "POST", route: `${POOLS}/{pool}/providers` },
  { what: "the repository is deleted", method: "DELETE", route: `${REPOSITORIES}/{repository}` },
  { what: "the identity pool is deleted", method: "DELETE", route: `${POOLS}/{pool}` },
  { what: "the provider is deleted", method: "DELETE", route: `${POOLS}/{pool}/providers/{provider}` },
];

/** What is asked for each API where the request for several failed. */
const ENABLE: Route = { method: "POST", route: "v1/projects/{project}/services/{name}:enable" };

/** What Google keeps for 30 days, and refuses to delete twice. */
const DELETED_SOFTLY = OPERATIONS.filter(
  ({ method, route }) => method === "DELETE" && route.startsWith(POOLS),
);

/** What Google refuses to create twice. */
const CREATED_ONCE = OPERATIONS.filter(
  ({ method, route }) => method === "POST" && !route.endsWith(":batchEnable"),
);

/** It has no description, and so no mark: the stack cannot know its own. */
const EXCEPTION = {
  what: "the exception from the organization's policy is created",
  method: "POST",
  route: "v2/projects/{project}/policies",
};

const sandbox = useSandbox();
/** Every route of Google's APIs that the stack asks in its life. */
let routes: Route[];

beforeAll(async () => {
  // The back-off of the fake providers, shortened.
  sandbox.env["HYPERION_FAKE_PROVIDER_BACKOFF_MS"] = "100";
  await sandbox.set({
    publishImages: "false",
    githubRepository: "HyperionWave-AI/dev-squad",
    publicAccess: "true",
    overrideDomainRestrictedSharing: "true",
  });
  await startAnew(sandbox);
  await google(sandbox, "DELETE", "sandbox/requests");
  await live(sandbox);
  routes = ((await google(sandbox, "GET", "sandbox/requests")) as { routes: RequestCount[] }).routes;
  expect(routes.length).toBeGreaterThan(20);
});

afterEach(() => clearFaults(sandbox));
describe("Google's APIs", () => {
  for (const status of [429, 500, 503])
    survives(`each route answers ${status} once`, async () => {
      await startAnew(sandbox);
      await strike({ kind: "status", status }, routes);
      return lived(sandbox, "retried with back-off");
    });

  survives("each route answers slowly once", async () => {
    await startAnew(sandbox);
    await strike({ kind: "delay", milliseconds: 700 }, routes);
    return lived(sandbox, "waits for the answer");
  });

  survives("each operation is not done at the first look", async () => {
    await startAnew(sandbox);
    await strike(
      { kind: "operation-pending" },
      routes.filter(({ route }) => route.endsWith("operations/{operation}")),
    );
    return lived(sandbox, "waits for the answer");
  });

  survives("the answer of each change that can be repeated is lost", async () => {
    await startAnew(sandbox);
    const changing = routes.filter(
      ({ method, route }) =>
        method !== "GET" &&
        !route.endsWith(":getIamPolicy") &&
        ![...CREATED_ONCE, EXCEPTION, ...DELETED_SOFTLY].some(
          (one) => one.method === method && one.route === route,
        ),
    );
    await strike({ kind: "status", status: 503, after: true }, changing);
    return lived(sandbox, "the retry finds the change done");
  });

  for (const target of CREATED_ONCE)
    survives(`the answer is lost that ${target.what}`, async () => {
      await startAnew(sandbox);
      await strike({ kind: "status", status: 503, after: true }, [target]);
      const output = await failing(sandbox);
      return fixed(
        sandbox,
        "the retry finds the resource and continues; nothing is created twice",
        seenIn(output, /Error 409/),
      );
    });

  survives(`the answer is lost that ${EXCEPTION.what}`, async () => {
    await startAnew(sandbox);
    await strike({ kind: "status", status: 503, after: true }, [EXCEPTION]);
    const output = await failing(sandbox);
    await sandbox.set({ adoptExisting: "true" });
    const row = await fixed(
      sandbox,
      "the retry finds the resource; adopted, not created twice",
      seenIn(output, /Error 409/),
    );
    await sandbox.unset("adoptExisting");
    return { ...row, next: `\`adoptExisting\`, ${row.next}` };
  });

  for (const target of DELETED_SOFTLY)
    survives(`the answer is lost that ${target.what}`, async () => {
      await startAnew(sandbox);
      await fix(sandbox, "up");
      await strike({ kind: "status", status: 503, after: true }, [target]);
      const output = await failing(sandbox, "destroy");
      const row = await refreshAndFix(sandbox, "deleted; the next `up` undeletes it", "imported");
      return { ...row, seen: seenIn(output, /Error 400/) };
    });

  for (const target of OPERATIONS)
    survives(`an operation ends in an error: ${target.what}`, async () => {
      await startAnew(sandbox);
      const deletes = target.method === "DELETE";
      if (deletes) await fix(sandbox, "up");
      await strike({ kind: "operation-error" }, [target, ENABLE]);
      const output = await failing(sandbox, deletes ? "destroy" : "up");
      return fixed(sandbox, "earlier changes stay", seenIn(output, /Error waiting for/));
    });

  survives("a grant to the caller has not taken effect yet (403)", async () => {
    // Rights on the organization's policies cannot be granted on a project.
    await sandbox.set({ publicAccess: "false", overrideDomainRestrictedSharing: "false" });
    await startAnew(sandbox);
    const newcomer = "user:newcomer@example.com";
    await fault(sandbox, { kind: "iam-spreading", seconds: 15 });
    await grant(sandbox, "roles/owner", newcomer, PROJECT);
    const token = await mintAccessToken(sandbox.root, newcomer);
    const theirs = sandbox.with({ GOOGLE_OAUTH_ACCESS_TOKEN: token });
    const output = await failing(theirs);
    const spread = async () => (await sandbox.google("GET", PROJECT, undefined, newcomer)).status === 200;
    expect(await waitUntil(spread, 60_000)).toBe(true);
    const row = await fixed(theirs, "nothing is changed", seenIn(output, /Error 403/));
    return { ...row, next: `minutes later ${row.next}` };
  });
});

/** Switches a fault on for each of these routes. */
async function strike(settings: Record<string, unknown>, targets: readonly Route[]): Promise<void> {
  for (const { method, route } of targets) await fault(sandbox, { ...settings, method, route: `/${route}` });
}
