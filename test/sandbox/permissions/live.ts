import { mintAccessToken } from "../../../sandbox/lib/tokens.ts";
import { google, grant, PROJECT, REPOSITORY } from "../../support/google.ts";
import type { Outcome, Sandbox } from "../../support/sandbox.ts";
import { type Grant, permissionsOf } from "./jobs.ts";
import { PRINCIPAL } from "./trial.ts";

/** Runs a command in the sandbox itself as a principal with these permissions only. */
export async function runLive(
  sandbox: Sandbox,
  grants: readonly Grant[],
  command: string,
  args: readonly string[],
): Promise<Outcome & { needed: string[] }> {
  for (const on of ["project", "repository"] as const)
    await setRole(sandbox, on, permissionsOf(grants.filter((grant) => grant.on === on)));
  await google(sandbox, "DELETE", "sandbox/requests");
  const outcome = await sandbox.command(command, args, {
    GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(sandbox.root, PRINCIPAL),
    HYPERION_SANDBOX_PRINCIPAL: PRINCIPAL,
    HYPERION_FAKE_PROVIDER_BACKOFF_MS: "5",
    USER_PROJECT_OVERRIDE: undefined,
  });
  const answer = await google(sandbox, "GET", `sandbox/requests/permissions/${PRINCIPAL}`);
  return { ...outcome, needed: (answer as { permissions: string[] }).permissions };
}

/** Creates or updates the principal's custom role on a resource. */
async function setRole(
  sandbox: Sandbox,
  on: "project" | "repository",
  includedPermissions: string[],
): Promise<void> {
  const roleId = `least_${on}`;
  const name = `roles/${roleId}`;
  const role = { includedPermissions };
  const change = `${PROJECT}/${name}?updateMask=includedPermissions`;
  const changed = await sandbox.google("PATCH", change, role);
  if (changed.status === 200) return;
  await google(sandbox, "POST", `${PROJECT}/roles`, { roleId, role });
  const resource = on === "project" ? PROJECT : REPOSITORY;
  await grant(sandbox, `${PROJECT.slice("v1/".length)}/${name}`, PRINCIPAL, resource);
}
