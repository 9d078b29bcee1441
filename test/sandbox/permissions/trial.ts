import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sandboxPaths } from "../../../sandbox/lib/paths.ts";
import type { Policy, Spreading } from "../../../sandbox/emulator/support/resources.ts";
import { startEmulator } from "../../../sandbox/emulator/server.ts";
import { ORGANIZATION, type State } from "../../../sandbox/emulator/support/store.ts";
import { mintAccessToken } from "../../../sandbox/lib/tokens.ts";
import type { Outcome, Sandbox } from "../../support/sandbox.ts";
import { type Grant, permissionsOf } from "./jobs.ts";

/** Has the permissions of a trial, and no others. */
export const PRINCIPAL = "user:least@example.com";

const PROJECT = "projects/hyperion-sandbox";

/** Everything that a Pulumi command changes. */
export interface Snapshot {
  /** State of the emulated APIs; undefined for an empty one. */
  emulator: State | undefined;
  /** Folder of the stacks' state. */
  backend: string;
}

/** The outcome of a trial. */
export interface Trial extends Outcome {
  /** The permissions that the principal's requests needed. */
  needed: string[];
  /** The result of the command. `remove` deletes its folder. */
  after: Snapshot;
  remove: () => Promise<void>;
}

/**
 * Runs `pulumi ARGS` as a principal with these permissions only, against copies of the emulated APIs and of the backend in the
 * snapshot, so that trials are independent.
 */
export async function runTrial(
  sandbox: Sandbox,
  before: Snapshot,
  grants: readonly Grant[],
  args: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<Trial> {
  const folder = await mkdtemp(join(tmpdir(), "hyp-least-"));
  const backend = join(folder, "backend");
  await cp(before.backend, backend, { recursive: true });
  const [from, to] = [sandboxPaths(sandbox.root), sandboxPaths(folder)];
  await cp(dirname(from.key), dirname(to.key), { recursive: true });
  await mkdir(dirname(to.emulatorState), { recursive: true });
  if (before.emulator) await writeFile(to.emulatorState, JSON.stringify(before.emulator));
  const emulator = await startEmulator({ sandboxDir: folder, port: 0, registryPort: 1 });
  try {
    emulator.context.store.change((state) => {
      setRoles(state, grants);
    });
    const endpoints = Object.entries(sandbox.env)
      .filter(([name]) => name.endsWith("_CUSTOM_ENDPOINT"))
      .map(([name, value = ""]) => [name, value.replace(`${sandbox.emulatorUrl}/`, emulator.url)]);
    const outcome = await sandbox.command("pulumi", args, {
      ...(Object.fromEntries(endpoints) as NodeJS.ProcessEnv),
      GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(sandbox.root, PRINCIPAL),
      PULUMI_BACKEND_URL: `file://${backend}`,
      // Shortens the fake provider's back-off, because no grant will follow.
      HYPERION_FAKE_PROVIDER_BACKOFF_MS: "5",
      USER_PROJECT_OVERRIDE: undefined,
      ...variables,
    });
    return {
      ...outcome,
      needed: emulator.context.requests.permissionsOf(PRINCIPAL),
      after: { emulator: structuredClone(emulator.context.store.state), backend },
      remove: () => rm(folder, { recursive: true, force: true }),
    };
  } finally {
    await emulator.close();
  }
}

/** Replaces the principal's grants by one custom role per resource. */
function setRoles(state: State, grants: readonly Grant[]): void {
  const resources = { project: PROJECT, organization: ORGANIZATION } as const;
  for (const on of ["project", "organization"] as const) {
    const role = `${PROJECT}/roles/least_${on}`;
    const includedPermissions = permissionsOf(grants.filter((grant) => grant.on === on));
    state.roles[role] = { name: role, includedPermissions, etag: "ACAB" };
    const policy: Spreading<Policy> = state.policies[resources[on]] ?? { current: {} };
    const others = (policy.current.bindings ?? []).filter((binding) => binding.role !== role);
    policy.current.bindings = [...others, { role, members: [PRINCIPAL] }];
    state.policies[resources[on]] = policy;
  }
}
