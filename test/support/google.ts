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

/** A call to the emulated Google that has to succeed; returns the answer's body. */
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

/** Switches an API of Google's on or off. */
export async function service(sandbox: Sandbox, name: string, action: "enable" | "disable"): Promise<void> {
  await google(sandbox, "POST", `${PROJECT}/services/${name}.googleapis.com:${action}`, {});
}

/** A policy; by default that of the stack's repository. Only repositories are asked by GET. */
export async function policyOf(sandbox: Sandbox, resource = REPOSITORY): Promise<Policy> {
  const [method, body] = resource === REPOSITORY ? ["GET"] : ["POST", {}];
  return (await google(sandbox, method, `${resource}:getIamPolicy`, body)) as Policy;
}

/** The bindings of a policy. */
export async function bindings(sandbox: Sandbox, resource?: string): Promise<Binding[]> {
  return (await policyOf(sandbox, resource)).bindings ?? [];
}

/** Changes the bindings of a policy behind the stack's back. */
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

/** Grants a role behind the stack's back. */
export async function grant(
  sandbox: Sandbox,
  role: string,
  member: string,
  resource?: string,
): Promise<void> {
  await changeBindings(sandbox, (before) => [...before, { role, members: [member] }], resource);
}

/** Takes a member out of the repository's policy, as somebody would by hand. */
export async function removeMember(sandbox: Sandbox, member: string): Promise<void> {
  await changeBindings(sandbox, (before) =>
    before
      .map((binding) => ({ ...binding, members: binding.members.filter((one) => one !== member) }))
      .filter(({ members }) => members.length > 0),
  );
}

/** The tags of an image in the registry, with the digest that each stands on. */
async function tagsOf(sandbox: Sandbox, image: string): Promise<Record<string, string>> {
  const list = await google(sandbox, "GET", `${PACKAGES}/${image}/tags?pageSize=1000`);
  const { tags = [] } = list as { tags?: { name: string; version: string }[] };
  const last = (name: string): string => name.replace(/^.*\//, "");
  return Object.fromEntries(tags.map(({ name, version }) => [last(name), last(version)]));
}

/** The same of every image of the catalogue, but for tags that nobody pulls. */
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

/** The digest that a tag stands for in the registry; undefined when there is no such tag. */
export async function digestOf(sandbox: Sandbox, image: string, tag: string): Promise<string | undefined> {
  const { status, body } = await sandbox.google("GET", `${PACKAGES}/${image}/tags/${tag}`);
  return status === 404 ? undefined : (body as { version: string }).version.replace(/^.*\//, "");
}

/** Takes tags of an image out of the registry. */
export async function removeTags(sandbox: Sandbox, image: string, ...tags: string[]): Promise<void> {
  for (const tag of tags) await google(sandbox, "DELETE", `${PACKAGES}/${image}/tags/${tag}`);
}

/** Switches a fault on. */
export async function fault(sandbox: Sandbox, settings: Record<string, unknown>): Promise<void> {
  await google(sandbox, "POST", "sandbox/faults", settings);
}

/** Switches every fault off. */
export async function clearFaults(sandbox: Sandbox): Promise<void> {
  await google(sandbox, "DELETE", "sandbox/faults");
}

/** The faults that are switched on and have not struck yet. */
export async function faultsLeft(sandbox: Sandbox): Promise<object[]> {
  return ((await google(sandbox, "GET", "sandbox/faults")) as { faults: object[] }).faults;
}
