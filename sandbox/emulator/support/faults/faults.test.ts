import { writeFileSync } from "node:fs";
import { afterEach, beforeAll, expect, test } from "vitest";
import { mintAccessToken } from "../../../lib/tokens.ts";
import {
  bind,
  createRepository,
  PROJECT,
  REPOSITORIES,
  REPOSITORY,
  testEmulator,
} from "../../testing/emulator.ts";

const emulator = await testEmulator("artifactregistry", "iam");

beforeAll(() => createRepository(emulator));

afterEach(async () => {
  await emulator.ok("DELETE", "sandbox/faults");
});

const fault = (body: object) => emulator.ok("POST", "sandbox/faults", body);
const create = (id: string) =>
  emulator.call("POST", `${REPOSITORIES}?repositoryId=${id}`, { format: "DOCKER" });

async function statuses(times: number, method: string, path: string, body?: object): Promise<number[]> {
  const found: number[] = [];
  for (let time = 0; time < times; time++) found.push((await emulator.call(method, path, body)).status);
  return found;
}

test.each([
  [429, "RESOURCE_EXHAUSTED"],
  [500, "INTERNAL"],
  [503, "UNAVAILABLE"],
])("%i for the requested number of times, on one route", async (status, code) => {
  await fault({ kind: "status", status, method: "GET", route: "/v1/projects/*/repositories/*", times: 2 });
  expect((await emulator.call("GET", REPOSITORIES)).status).toBe(200);
  expect(await emulator.call("GET", REPOSITORY)).toMatchObject({
    status,
    body: { error: { code: status, status: code } },
  });
  expect(await statuses(2, "GET", REPOSITORY)).toEqual([status, 200]);
});

test.each([0, null])("a fault skips requests, and lasts until it is cleared (times: %j)", async (times) => {
  await fault({ kind: "status", status: 503, route: "*repositories", skip: 1, times });
  expect(await statuses(4, "GET", REPOSITORIES)).toEqual([200, 503, 503, 503]);
  expect(await emulator.ok("DELETE", "sandbox/faults")).toEqual({ faults: [] });
  expect(await statuses(1, "GET", REPOSITORIES)).toEqual([200]);
});

test("a route can be given as its template", async () => {
  await fault({ kind: "status", status: 500, route: "/v1/projects/{project}/serviceAccounts" });
  expect(await statuses(2, "GET", `v1/${PROJECT}/serviceAccounts`)).toEqual([500, 200]);
});

test("an answer is lost after the change is made", async () => {
  await fault({ kind: "status", status: 503, method: "POST", after: true });
  expect([(await create("lost")).status, (await create("lost")).status]).toEqual([503, 409]);
});

test("an answer is delayed", async () => {
  await fault({ kind: "delay", milliseconds: 120 });
  const start = performance.now();
  await emulator.ok("GET", REPOSITORY);
  expect(performance.now() - start).toBeGreaterThanOrEqual(115);
});

test("another editor changes the policy between read and write, and the change is kept", async () => {
  await bind(emulator, "roles/artifactregistry.writer", "user:dana@example.com");
  await fault({ kind: "conflict" });
  const write = async (): Promise<number> => {
    const policy = await emulator.ok("GET", `${REPOSITORY}:getIamPolicy`);
    const mine = { role: "roles/artifactregistry.repoAdmin", members: ["user:lee@example.com"] };
    const bindings = [...(policy["bindings"] as object[]), mine];
    const body = { policy: { ...policy, bindings } };
    return (await emulator.call("POST", `${REPOSITORY}:setIamPolicy`, body)).status;
  };
  expect(await write()).toBe(409);
  expect(await write()).toBe(200);
  expect(await emulator.ok("GET", `${REPOSITORY}:getIamPolicy`)).toMatchObject({
    bindings: [
      { role: "roles/artifactregistry.reader", members: ["user:other-editor@example.com"] },
      { role: "roles/artifactregistry.repoAdmin", members: ["user:lee@example.com"] },
      { role: "roles/artifactregistry.writer", members: ["user:dana@example.com"] },
    ],
  });
});

test("an operation ends in an error and changes nothing", async () => {
  await fault({ kind: "operation-error", method: "POST", message: "Disk of the zone is full." });
  const { body: operation } = await create("failed");
  expect(operation).toEqual({ name: operation["name"] });
  expect(await emulator.ok("GET", `v1/${String(operation["name"])}`)).toEqual({
    ...operation,
    done: true,
    error: { code: 13, message: "Disk of the zone is full." },
  });
  expect((await emulator.call("GET", `${REPOSITORIES}/failed`)).status).toBe(404);
});

test("an operation is still running at the first poll", async () => {
  await fault({ kind: "operation-pending" });
  const { body: operation } = await create("pending");
  const poll = () => emulator.ok("GET", `v1/${String(operation["name"])}`);
  expect(await poll()).toEqual(operation);
  expect(await poll()).toMatchObject({ done: true, response: {} });
});

test("a skewed clock refuses valid tokens, and can be corrected", async () => {
  await fault({ kind: "clock-skew", seconds: 2 * 3600 });
  expect((await emulator.call("GET", REPOSITORY)).status).toBe(401);
  await emulator.ok("DELETE", "sandbox/faults");
  expect((await emulator.call("GET", REPOSITORY)).status).toBe(200);
});

test("faults survive a restart and can be edited by hand", async () => {
  await fault({ kind: "status", status: 500, route: "*repositories", times: 2 });
  emulator.restart();
  expect(await statuses(3, "GET", REPOSITORIES)).toEqual([500, 500, 200]);
  const edited = [{ kind: "status", status: 429, route: "*repositories" }];
  writeFileSync(emulator.context.files.faults, JSON.stringify(edited));
  expect(await statuses(2, "GET", REPOSITORIES)).toEqual([429, 200]);
});

test.each([
  ["no kind", {}],
  ["an unknown kind", { kind: "meteor" }],
  ["an unknown status", { kind: "status", status: 418 }],
  ["an unknown field", { kind: "delay", milliseconds: 1, path: "/x" }],
])("a fault with %s is refused", async (_, body) => {
  expect(await emulator.call("POST", "sandbox/faults", body)).toMatchObject({ status: 400 });
});

test("requests are counted by route and status, except the sandbox's requests", async () => {
  await emulator.ok("DELETE", "sandbox/requests");
  await fault({ kind: "status", status: 503, method: "GET" });
  await statuses(3, "GET", REPOSITORY);
  await emulator.call("GET", "v1/nothing");
  const route = "v1/projects/{project}/locations/{location}/repositories/{repository}";
  expect(await emulator.ok("GET", "sandbox/requests")).toEqual({
    total: 4,
    routes: [
      { method: "GET", route, count: 3, statuses: { 200: 2, 503: 1 } },
      { method: "GET", route: "/v1/nothing", count: 1, statuses: { 501: 1 } },
    ],
  });
});

test("the permissions that a principal's requests need are recorded, whether it holds them or not", async () => {
  await emulator.ok("DELETE", "sandbox/requests");
  const dana = "user:dana@example.com";
  await emulator.call("GET", REPOSITORY, undefined, dana);
  const recorded = () => emulator.ok("GET", `sandbox/requests/permissions/${dana}`);
  expect(await recorded()).toEqual({ permissions: ["artifactregistry.repositories.get"] });
  await emulator.ok("DELETE", "sandbox/requests");
  expect(await recorded()).toEqual({ permissions: [] });
});

test("only the maintainer uses the switches", async () => {
  for (const path of ["sandbox/faults", "sandbox/requests", "sandbox/org-policy"]) {
    expect((await emulator.call("GET", path, undefined, "user:dana@example.com")).status).toBe(403);
    expect((await emulator.call("GET", path, undefined, null)).status).toBe(401);
  }
  const old = await mintAccessToken(emulator.dir, "user:maintainer@example.com", -1);
  const response = await emulator.send("sandbox/faults", { headers: { authorization: `Bearer ${old}` } });
  expect(response.status).toBe(401);
});
