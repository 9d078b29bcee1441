import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sandboxPaths } from "../../../sandbox/lib/paths.ts";
import type { Policy, Spreading } from "../../../sandbox/emulator/support/resources.ts";
import { startEmulator } from "../../../sandbox/emulator/server.ts";
import { ORGANIZATION, type State } from "../../../sandbox/emulator/support/store.ts";
import { mintAccessToken } from "../../../sandbox/lib/tokens.ts";
import type { Outcome, Sandbox } from "../../support/sandbox.ts";
import { allOf, type Grant } from "./jobs.ts";

/** Who has the permissions of a trial, and no others. */
export const PRINCIPAL = "user:least@example.com";

/** Where it has them. */
const PROJECT = "projects/hyperion-sandbox";

/** Everything that a command of Pulumi changes. */
export interface Snapshot {
  /** State of the emulated APIs; undefined for new ones. */
  emulator: State | undefined;
  /** Folder of the stacks' state. */
  backend: string;
}

/** What came of a trial. */
export interface Trial extends Outcome {
  /** What the command left; its folder is removed by `forget`. */
  after: Snapshot;
  forget: () => Promise<void>;
}

/**
 * Runs `pulumi ARGS` as a principal that has the given permissions only, against emulated APIs and a backend of its own
 * that begin as the snapshot: trials do not see each other.
 */
export async function trial(
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
      give(state, grants);
    });
    const endpoints = Object.entries(sandbox.env)
      .filter(([name]) => name.endsWith("_CUSTOM_ENDPOINT"))
      .map(([name, value = ""]) => [name, value.replace(`${sandbox.emulatorUrl}/`, emulator.url)]);
    const outcome = await sandbox.command("pulumi", args, {
      ...(Object.fromEntries(endpoints) as NodeJS.ProcessEnv),
      GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(sandbox.root, PRINCIPAL),
      PULUMI_BACKEND_URL: `file://${backend}`,
      // The fake provider waits as long between tries as the real plugin: nobody will grant anything meanwhile.
      HYPERION_FAKE_PROVIDER_BACKOFF_MS: "5",
      USER_PROJECT_OVERRIDE: undefined,
      ...variables,
    });
    return {
      ...outcome,
      after: { emulator: structuredClone(emulator.context.store.state), backend },
      forget: () => rm(folder, { recursive: true, force: true }),
    };
  } finally {
    await emulator.close();
  }
}

/** Takes everything that the principal has, and gives it a role of its own on each resource. */
function give(state: State, grants: readonly Grant[]): void {
  const resources = { project: PROJECT, organization: ORGANIZATION } as const;
  for (const on of ["project", "organization"] as const) {
    const role = `${PROJECT}/roles/least_${on}`;
    const includedPermissions = allOf(grants.filter((grant) => grant.on === on));
    state.roles[role] = { name: role, includedPermissions, etag: "ACAB" };
    const policy: Spreading<Policy> = state.policies[resources[on]] ?? { current: {} };
    const others = (policy.current.bindings ?? []).filter((binding) => binding.role !== role);
    policy.current.bindings = [...others, { role, members: [PRINCIPAL] }];
    state.policies[resources[on]] = policy;
  }
}
