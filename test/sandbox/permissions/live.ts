import { mintAccessToken } from "../../../sandbox/lib/tokens.ts";
import type { Outcome, Sandbox } from "../../support/sandbox.ts";
import { allOf, type Grant } from "./jobs.ts";
import { PRINCIPAL, PROJECT } from "./trial.ts";

const RESOURCES = {
  project: { path: PROJECT, method: "POST" },
  repository: { path: `${PROJECT}/locations/us-central1/repositories/hyperion-public`, method: "GET" },
} as const;

/** Runs a command in the sandbox itself as a principal that has the given permissions only. */
export async function live(
  sandbox: Sandbox,
  grants: readonly Grant[],
  command: string,
  args: readonly string[],
): Promise<Outcome> {
  for (const on of ["project", "repository"] as const)
    await give(sandbox, on, allOf(grants.filter((grant) => grant.on === on)));
  return sandbox.command(command, args, {
    GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(sandbox.root, PRINCIPAL),
    HYPERION_SANDBOX_PRINCIPAL: PRINCIPAL,
    HYPERION_FAKE_PROVIDER_BACKOFF_MS: "5",
    USER_PROJECT_OVERRIDE: undefined,
  });
}

/** Gives the principal a role of its own on a resource, or changes that role. */
async function give(
  sandbox: Sandbox,
  on: "project" | "repository",
  includedPermissions: string[],
): Promise<void> {
  const roleId = `least_${on}`;
  const name = `${PROJECT}/roles/${roleId}`;
  const role = { includedPermissions };
  const changed = await ask(sandbox, "PATCH", `${name}?updateMask=includedPermissions`, role);
  if (changed !== undefined) return;
  await ask(sandbox, "POST", `${PROJECT}/roles`, { roleId, role });
  const { path, method } = RESOURCES[on];
  const policy = await ask(sandbox, method, `${path}:getIamPolicy`, method === "GET" ? undefined : {});
  const { bindings = [], etag } = policy as { bindings?: object[]; etag: string };
  const binding = { role: name, members: [PRINCIPAL] };
  await ask(sandbox, "POST", `${path}:setIamPolicy`, { policy: { etag, bindings: [...bindings, binding] } });
}

/** The answer; undefined for what is not there. Throws on any other refusal. */
async function ask(sandbox: Sandbox, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await sandbox.google(method, `v1/${path}`, body);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
