import type { RequestCount } from "../../sandbox/emulator/support/faults/requests.ts";
import type { Sandbox } from "../support/sandbox.ts";
import type { Size } from "./stack.ts";

/** Requests by `METHOD route`. */
export type Requests = Record<string, number>;

const PROJECT = "v1/projects/{project}";
const REPOSITORIES = `${PROJECT}/locations/{location}/repositories`;

const TAGS = `${REPOSITORIES}/{repository}/packages/{package}/tags`;

/** The requests of every run: for the policy, and for the tags of each image. */
export function requestsOfEveryRun(images: number): Requests {
  return {
    [`GET ${REPOSITORIES}/{repository}:getIamPolicy`]: 1,
    [`GET ${TAGS}`]: images,
  };
}

/** The requests of a run without changes, which also gets one registry token per image to read its platforms. */
export function requestsWithoutChanges(images: number): Requests {
  return { ...requestsOfEveryRun(images), "GET token": images };
}

/** The number of APIs that the stack enables by default. */
const SERVICES = 2;

/**
 * The minimum that the real plugins send in a first up: two reads and one write per member, the list of APIs before and after
 * they are enabled together, three reads of a new account, and a registry token for the push of each platform. The program
 * reads the platforms from the registry, uploads their index, creates two tags per image, and lists the tags again.
 *
 * @param conflicts rejected writes of a policy; the plugin reads and writes again.
 */
export function requestsOfFirstUp({ images, readers }: Size, conflicts: number): Requests {
  const members = readers + 1; // the CI account
  return {
    ...requestsOfEveryRun(images),
    "GET token": 4 * images,
    [`GET ${TAGS}`]: 2 * images,
    [`POST ${TAGS}`]: 2 * images,
    [`GET ${PROJECT}/services`]: 2 * SERVICES,
    [`POST ${PROJECT}/services:batchEnable`]: 1,
    "GET v1/operations/{operation}": 1,
    [`GET ${PROJECT}`]: SERVICES,
    [`POST ${REPOSITORIES}`]: 1,
    [`GET ${PROJECT}/locations/{location}/operations/{operation}`]: 1,
    [`GET ${REPOSITORIES}/{repository}`]: 1,
    // One is the program's.
    [`GET ${REPOSITORIES}/{repository}:getIamPolicy`]: 2 * members + 1 + conflicts,
    [`POST ${REPOSITORIES}/{repository}:setIamPolicy`]: members + conflicts,
    [`POST ${PROJECT}/serviceAccounts`]: 1,
    [`GET ${PROJECT}/serviceAccounts/{account}`]: 3,
  };
}

/** The requests that find out who owns existing resources. */
export const OWNERSHIP: Requests = {
  [`GET ${REPOSITORIES}/{repository}`]: 1,
  [`GET ${PROJECT}/serviceAccounts/{account}`]: 1,
};

export function add(one: Requests, other: Requests): Requests {
  const routes = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...routes].map((route) => [route, (one[route] ?? 0) + (other[route] ?? 0)]));
}

/** The requests that exceed the allowed number, as `METHOD route: SENT of ALLOWED`. */
export function exceeding(sent: Requests, allowed: Requests): string[] {
  return Object.entries(sent)
    .filter(([route, count]) => count > (allowed[route] ?? 0))
    .map(([route, count]) => `${route}: ${count} of ${allowed[route] ?? 0}`);
}

/** Counts the requests to the emulated APIs during `work`, and the rejected writes of a policy. */
export async function countRequests(
  sandbox: Sandbox,
  work: () => Promise<unknown>,
): Promise<{ sent: Requests; conflicts: number }> {
  await sandbox.google("DELETE", "sandbox/requests");
  await work();
  const { routes } = (await sandbox.google("GET", "sandbox/requests")).body as { routes: RequestCount[] };
  return {
    sent: Object.fromEntries(routes.map(({ method, route, count }) => [`${method} ${route}`, count])),
    conflicts: routes.reduce((sum, { statuses }) => sum + (statuses[409] ?? 0), 0),
  };
}
