import type { RequestCount } from "../../sandbox/emulator/support/faults/requests.ts";
import type { Sandbox } from "../support/sandbox.ts";
import type { Size } from "./stack.ts";

/** Requests by `METHOD route`. */
export type Requests = Record<string, number>;

const PROJECT = "v1/projects/{project}";
const REPOSITORIES = `${PROJECT}/locations/{location}/repositories`;

const TAGS = `${REPOSITORIES}/{repository}/packages/{package}/tags`;

/** What the program asks in every run: who may pull, and which tags each image has. */
export function questions(images: number): Requests {
  return {
    [`GET ${REPOSITORIES}/{repository}:getIamPolicy`]: 1,
    [`GET ${TAGS}`]: images,
  };
}

/** Requests of a run that changes nothing: besides, one login for each image at the registry, to read its platforms. */
export function quiet(images: number): Requests {
  return { ...questions(images), "GET token": images };
}

/** APIs that the stack enables, and service accounts that it makes, by default. */
const SERVICES = 2;

/**
 * What the real plugins send for the resources of a first up, at least: two reads and one write for each member, the
 * lists before and after APIs are enabled together, three reads of a new account, and at the registry a login for the push
 * of each platform. The program reads the platforms there, puts their index, creates two tags of each image, and lists them
 * again.
 *
 * @param conflicts writes of a policy that somebody else's write had overtaken; each is read and sent again.
 */
export function realPluginSends({ images, readers }: Size, conflicts: number): Requests {
  const members = readers + 1; // the CI account
  return {
    ...questions(images),
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
    // Once by the program, which asks who may pull.
    [`GET ${REPOSITORIES}/{repository}:getIamPolicy`]: 2 * members + 1 + conflicts,
    [`POST ${REPOSITORIES}/{repository}:setIamPolicy`]: members + conflicts,
    [`POST ${PROJECT}/serviceAccounts`]: 1,
    [`GET ${PROJECT}/serviceAccounts/{account}`]: 3,
  };
}

/** What the program asks besides of what it does not know to be its own: whose it is. */
export const WHOSE: Requests = {
  [`GET ${REPOSITORIES}/{repository}`]: 1,
  [`GET ${PROJECT}/serviceAccounts/{account}`]: 1,
};

/** Both together. */
export function sum(one: Requests, other: Requests): Requests {
  const routes = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...routes].map((route) => [route, (one[route] ?? 0) + (other[route] ?? 0)]));
}

/** Those that are more than allowed, as `METHOD route: SENT of ALLOWED`. */
export function tooMany(sent: Requests, allowed: Requests): string[] {
  return Object.entries(sent)
    .filter(([route, count]) => count > (allowed[route] ?? 0))
    .map(([route, count]) => `${route}: ${count} of ${allowed[route] ?? 0}`);
}

/** What was asked of the emulated APIs while some work ran, and how many writes of a policy were overtaken. */
export async function requestsOf(
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
