import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quotaProjectOf } from "../../../sandbox/emulator/testing/quota-project.ts";
import { startEmulator } from "../../../sandbox/emulator/server.ts";
import { commandEnvironment } from "../../../sandbox/services/environment.ts";
import { ensurePackages } from "../../../sandbox/machine/install-packages.ts";
import { ensurePulumi } from "../../../sandbox/machine/install-pulumi.ts";
import { repositoryRoot, sandboxPaths } from "../../../sandbox/lib/paths.ts";
import { installFakeProvider } from "../../../sandbox/providers/install.ts";
import { ensureConfig } from "../../../sandbox/lib/config.ts";
import { ensureOwnEngine, ownEngineHost, stopOwnEngine } from "../../../sandbox/machine/engine/own-engine.ts";
import { ensureKeys } from "../../../sandbox/lib/keys.ts";
import { ensureRegistry } from "../../../sandbox/services/registry.ts";
import { stopService } from "../../../sandbox/lib/supervision.ts";
import { writeTokenFile } from "../../../sandbox/services/token-file.ts";
import type { Tools } from "../../../sandbox/lib/tools.ts";
import { ensureWrappers } from "../../../sandbox/services/wrappers.ts";
import { passed } from "../../support/outcome.ts";
import { type Outcome, runCommand } from "../../support/sandbox.ts";

/** One resource of a stack's state. */
export interface StateResource {
  type: string;
  urn: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** The fake providers under the real Pulumi engine, with a real Docker engine, a real registry and the emulated APIs. */
export type ProviderContext = Awaited<ReturnType<typeof startProviderContext>>;

/** Starts them in a new folder; `stop` removes them. */
export async function startProviderContext() {
  const root = await mkdtemp(join(tmpdir(), "hyperion-plugins-"));
  const paths = sandboxPaths(root);
  const quiet = (): void => undefined;
  const config = await ensureConfig(paths);
  await ensureKeys(paths);
  await writeTokenFile(root);
  const engine = { kind: "own" as const, host: ownEngineHost(paths) };
  const installed = await ensurePackages(engine, paths.bin, quiet);
  const tools: Tools = { pulumi: await ensurePulumi(quiet), docker: installed, engine };
  const { emulatorPort: port, registryPort } = config;
  const emulator = await startEmulator({ sandboxDir: root, port, registryPort });
  await ensureRegistry(paths, config);
  await ensureOwnEngine(paths);
  await ensureWrappers(paths, config, tools);
  for (const name of ["gcp", "docker"] as const) await installFakeProvider(name, paths.pulumiHome);
  await mkdir(paths.state, { recursive: true });
  /** The folder of the small program in `program/`. */
  const program = join(root, "program");
  await cp(join(import.meta.dirname, "program"), program, { recursive: true });
  await symlink(join(repositoryRoot, "node_modules"), join(program, "node_modules"));
  const environment: NodeJS.ProcessEnv = {
    ...(await commandEnvironment(paths, config, tools)),
    // The project whose APIs the program enables, for the quota.
    GOOGLE_BILLING_PROJECT: "production-471918",
    // Shortens the retries of transient errors.
    HYPERION_FAKE_PROVIDER_BACKOFF_MS: "50",
  };

  const run = (command: string, args: string[], variables: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
    runCommand(command, args, { ...environment, ...variables }, { cwd: program });

  /** Runs pulumi in the program's folder. */
  const pulumi = (args: string[], variables?: NodeJS.ProcessEnv): Promise<Outcome> =>
    run(tools.pulumi.path, ["--non-interactive", "--color=never", ...args], variables);

  /** Runs pulumi, which has to succeed. */
  const succeed = async (...args: string[]): Promise<string> => passed(await pulumi(args));

  /** The state as text. */
  async function exported(...options: string[]): Promise<string> {
    const file = join(root, "exported.json");
    await succeed("stack", "export", "--file", file, ...options);
    return readFile(file, "utf8");
  }

  return {
    root,
    program,
    environment,
    /** `localhost:PORT` */
    registry: `localhost:${registryPort}`,
    run,
    pulumi,
    succeed,
    exported,
    docker: (...args: string[]) => run(tools.docker.path, args),

    /** Writes the settings that the program reads. */
    settings: (values: object) => writeFile(join(program, "wanted.json"), JSON.stringify(values)),

    /** Starts pulumi without waiting for it. */
    start: (args: string[], variables: NodeJS.ProcessEnv): ChildProcess =>
      spawn(tools.pulumi.path, ["--non-interactive", ...args], {
        cwd: program,
        env: { ...environment, ...variables },
        stdio: "ignore",
      }),

    /** The resources in the state, decrypted. */
    state: async (): Promise<StateResource[]> => {
      const state = JSON.parse(await exported("--show-secrets")) as {
        deployment: { resources?: StateResource[] };
      };
      return state.deployment.resources ?? [];
    },

    /** Sends a request to an emulated API as the maintainer. `path` includes the version: `v1/projects/...`. */
    google: async (
      method: string,
      path: string,
      body?: object,
    ): Promise<{ status: number; body: Record<string, unknown> }> => {
      const response = await fetch(emulator.url + path, {
        method,
        headers: {
          authorization: `Bearer ${environment["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? ""}`,
          "content-type": "application/json",
          ...quotaProjectOf(path),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },

    stop: async (): Promise<void> => {
      await emulator.close();
      await stopService(paths, "registry");
      await stopOwnEngine(paths);
      await rm(root, { recursive: true, force: true });
    },
  };
}
