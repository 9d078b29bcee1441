import { expect } from "vitest";
import type { Sandbox } from "../support/sandbox.ts";

export const PROJECT = "v1/projects/hyperion-sandbox";
export const POLICIES = "v2/projects/hyperion-sandbox/policies";
export const POOLS = `${PROJECT}/locations/global/workloadIdentityPools`;
export const REPOSITORIES = `${PROJECT}/locations/us-central1/repositories`;
export const REPOSITORY = `${REPOSITORIES}/hyperion-public`;

interface Binding {
  role: string;
  members: string[];
}

/** A call to the emulated Google that has to succeed; returns the answer's body. */
export async function google(
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const answer = await sandbox.google(method, path, body);
  expect(answer).toMatchObject({ status: 200 });
  return answer.body;
}

/** The bindings of a policy; by default that of the stack's repository. Only repositories are asked by GET. */
export async function bindings(sandbox: Sandbox, resource = REPOSITORY): Promise<Binding[]> {
  const [method, body] = resource === REPOSITORY ? ["GET"] : ["POST", {}];
  const policy = await google(sandbox, method, `${resource}:getIamPolicy`, body);
  return (policy as { bindings?: Binding[] }).bindings ?? [];
}

/** Takes a member out of the repository's policy, as somebody would by hand. */
export async function removeMember(sandbox: Sandbox, member: string): Promise<void> {
  const left = (await bindings(sandbox)).map((binding) => ({
    ...binding,
    members: binding.members.filter((one) => one !== member),
  }));
  await google(sandbox, "POST", `${REPOSITORY}:setIamPolicy`, {
    policy: { bindings: left.filter(({ members }) => members.length > 0) },
  });
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
