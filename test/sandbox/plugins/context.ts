import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quotaProjectOf } from "../../../sandbox/emulator/testing/quota-project.ts";
import { type Emulator, startEmulator } from "../../../sandbox/emulator/server.ts";
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

/** What a command said and how it ended. */
export interface Ran {
  code: number;
  /** Standard output and error. */
  output: string;
}

/** One resource of a stack's state. */
export interface StateResource {
  type: string;
  urn: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** The fake providers under the real engine, before a real Docker engine, a real registry and the emulated APIs. */
export class ProviderContext {
  readonly root: string;
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly emulator: Emulator;
  readonly registry: string;
  private readonly tools: Tools;

  private constructor(
    root: string,
    /** The folder of the small program in `program/`. */
    program: string,
    environment: NodeJS.ProcessEnv,
    emulator: Emulator,
    /** `localhost:PORT` */
    registry: string,
    tools: Tools,
  ) {
    this.root = root;
    this.program = program;
    this.environment = environment;
    this.emulator = emulator;
    this.registry = registry;
    this.tools = tools;
  }

  static async start(): Promise<ProviderContext> {
    const root = await mkdtemp(join(tmpdir(), "hyperion-plugins-"));
    const paths = sandboxPaths(root);
    const quiet = (): void => undefined;
    const config = await ensureConfig(paths);
    await ensureKeys(paths);
    await writeTokenFile(root);
    const engine = { kind: "own" as const, host: ownEngineHost(paths) };
    const docker = await ensurePackages(engine, paths.bin, quiet);
    const tools: Tools = { pulumi: await ensurePulumi(quiet), docker, engine };
    const emulator = await startEmulator({
      sandboxDir: root,
      port: config.emulatorPort,
      registryPort: config.registryPort,
    });
    await ensureRegistry(paths, config);
    await ensureOwnEngine(paths);
    await ensureWrappers(paths, config, tools);
    for (const name of ["gcp", "docker"] as const) await installFakeProvider(name, paths.pulumiHome);
    await mkdir(paths.state, { recursive: true });
    const program = join(root, "program");
    await cp(join(import.meta.dirname, "program"), program, { recursive: true });
    await symlink(join(repositoryRoot, "node_modules"), join(program, "node_modules"));
    const environment = {
      ...(await commandEnvironment(paths, config, tools)),
      // Passing errors are tried again without a test having to wait for it.
      HYPERION_FAKE_PROVIDER_BACKOFF_MS: "50",
    };
    return new ProviderContext(
      root,
      program,
      environment,
      emulator,
      `localhost:${config.registryPort}`,
      tools,
    );
  }

  async stop(): Promise<void> {
    const paths = sandboxPaths(this.root);
    await this.emulator.close();
    await stopService(paths, "registry");
    await stopOwnEngine(paths);
    await rm(this.root, { recursive: true, force: true });
  }

  /** What the program reads. */
  async settings(values: object): Promise<void> {
    await writeFile(join(this.program, "wanted.json"), JSON.stringify(values));
  }

  /** Runs pulumi in the program's folder. */
  pulumi(args: string[], environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
    return this.run(this.tools.pulumi.path, ["--non-interactive", "--color=never", ...args], environment);
  }

  /** Starts pulumi and does not wait for it. */
  start(args: string[], environment: NodeJS.ProcessEnv): ChildProcess {
    return spawn(this.tools.pulumi.path, ["--non-interactive", ...args], {
      cwd: this.program,
      env: { ...this.environment, ...environment },
      stdio: "ignore",
    });
  }

  /** Runs pulumi and throws with its output unless it succeeds. */
  async succeed(...args: string[]): Promise<string> {
    const { code, output } = await this.pulumi(args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${output}`);
    return output;
  }

  docker(...args: string[]): Promise<Ran> {
    return this.run(this.tools.docker.path, args, {});
  }

  /** The resources in the state, decrypted. */
  async state(): Promise<StateResource[]> {
    const exported = JSON.parse(await this.exported("--show-secrets")) as {
      deployment: { resources?: StateResource[] };
    };
    return exported.deployment.resources ?? [];
  }

  /** The state as text. */
  async exported(...options: string[]): Promise<string> {
    const file = join(this.root, "exported.json");
    await this.succeed("stack", "export", "--file", file, ...options);
    return readFile(file, "utf8");
  }

  /** Asks an emulated API as the maintainer. `path` with its version: `v1/projects/...`. */
  async google(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(this.emulator.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.environment["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? ""}`,
        "content-type": "application/json",
        ...quotaProjectOf(path),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  run(command: string, args: string[], environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
    return new Promise((resolve) => {
      const options = {
        cwd: this.program,
        env: { ...this.environment, ...environment },
        maxBuffer: 64 * 1024 * 1024,
      };
      execFile(command, args, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, output: stdout + stderr });
      });
    });
  }
}
