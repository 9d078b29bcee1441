import { expect } from "vitest";
import images from "../../images.json" with { type: "json" };
import type { Sandbox } from "./sandbox.ts";

export const PROJECT = "v1/projects/hyperion-sandbox";
export const POLICIES = "v2/projects/hyperion-sandbox/policies";
export const POOLS = `${PROJECT}/locations/global/workloadIdentityPools`;
export const REPOSITORIES = `${PROJECT}/locations/us-central1/repositories`;
export const REPOSITORY = `${REPOSITORIES}/hyperion-public`;
export const PACKAGES = `${REPOSITORY}/packages`;

export interface Binding {
  role: string;
  members: string[];
}

interface Policy {
  bindings?: Binding[];
  etag?: string;
}

/** Calls the emulated Google; fails the test unless the status is 200. Returns the body. */
export async function google(
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const answer = await sandbox.google(method, path, body);
  expect(answer, `${method} ${path}`).toMatchObject({ status: 200 });
  return answer.body;
}

export async function service(sandbox: Sandbox, name: string, action: "enable" | "disable"): Promise<void> {
  await google(sandbox, "POST", `${PROJECT}/services/${name}.googleapis.com:${action}`, {});
}

/** A policy. Default: the repository's, which is read by GET, others by POST. */
export async function policyOf(sandbox: Sandbox, resource = REPOSITORY): Promise<Policy> {
  const [method, body] = resource === REPOSITORY ? ["GET"] : ["POST", {}];
  return (await google(sandbox, method, `${resource}:getIamPolicy`, body)) as Policy;
}

export async function bindings(sandbox: Sandbox, resource?: string): Promise<Binding[]> {
  return (await policyOf(sandbox, resource)).bindings ?? [];
}

/** Changes the bindings of a policy outside the stack. */
export async function changeBindings(
  sandbox: Sandbox,
  change: (before: Binding[]) => Binding[],
  resource = REPOSITORY,
): Promise<void> {
  const { bindings: before = [], ...rest } = await policyOf(sandbox, resource);
  await google(sandbox, "POST", `${resource}:setIamPolicy`, {
    policy: { ...rest, bindings: change(before) },
  });
}

/** Grants a role outside the stack. */
export async function grant(
  sandbox: Sandbox,
  role: string,
  member: string,
  resource?: string,
): Promise<void> {
  await changeBindings(sandbox, (before) => [...before, { role, members: [member] }], resource);
}

/** Removes a member from the repository's policy outside the stack. */
export async function removeMember(sandbox: Sandbox, member: string): Promise<void> {
  await changeBindings(sandbox, (before) =>
    before
      .map((binding) => ({ ...binding, members: binding.members.filter((one) => one !== member) }))
      .filter(({ members }) => members.length > 0),
  );
}

/** The digest of each tag of an image. */
export async function tagsOf(
  sandbox: Sandbox,
  image: string,
  packages = PACKAGES,
): Promise<Record<string, string>> {
  const list = await google(sandbox, "GET", `${packages}/${image}/tags?pageSize=1000`);
  const { tags = [] } = list as { tags?: { name: string; version: string }[] };
  const last = (name: string): string => name.replace(/^.*\//, "");
  return Object.fromEntries(tags.map(({ name, version }) => [last(name), last(version)]));
}

/** The same for all images of the catalogue, filtered. */
export async function published(
  sandbox: Sandbox,
  pulled: (tag: string) => boolean = () => true,
): Promise<Record<string, Record<string, string>>> {
  const entries = images.map(async ({ name }) => {
    const tags = Object.entries(await tagsOf(sandbox, name)).filter(([tag]) => pulled(tag));
    return [name, Object.fromEntries(tags)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The digest of a tag; undefined if it does not exist. */
export async function digestOf(sandbox: Sandbox, image: string, tag: string): Promise<string | undefined> {
  const { status, body } = await sandbox.google("GET", `${PACKAGES}/${image}/tags/${tag}`);
  return status === 404 ? undefined : (body as { version: string }).version.replace(/^.*\//, "");
}

export async function removeTags(sandbox: Sandbox, image: string, ...tags: string[]): Promise<void> {
  for (const tag of tags) await google(sandbox, "DELETE", `${PACKAGES}/${image}/tags/${tag}`);
}

export async function fault(sandbox: Sandbox, settings: Record<string, unknown>): Promise<void> {
  await google(sandbox, "POST", "sandbox/faults", settings);
}

export async function clearFaults(sandbox: Sandbox): Promise<void> {
  await google(sandbox, "DELETE", "sandbox/faults");
}

/** The faults that are not used up. */
export async function faultsLeft(sandbox: Sandbox): Promise<object[]> {
  return ((await google(sandbox, "GET", "sandbox/faults")) as { faults: object[] }).faults;
}
