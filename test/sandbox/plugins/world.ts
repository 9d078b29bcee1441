import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cloud, startCloud } from "../../../sandbox/cloud/server";
import { commandEnvironment } from "../../../sandbox/environment";
import { ensurePackages } from "../../../sandbox/install/packages";
import { ensurePulumi } from "../../../sandbox/install/pulumi";
import { repositoryRoot, sandboxPaths } from "../../../sandbox/paths";
import { installStandIn } from "../../../sandbox/plugins/install";
import { ensureConfig } from "../../../sandbox/services/config";
import { ensureOwnEngine, ownEngineHost, stopOwnEngine } from "../../../sandbox/services/engine/own-engine";
import { ensureKeys } from "../../../sandbox/services/keys";
import { ensureRegistry } from "../../../sandbox/services/registry";
import { stopService } from "../../../sandbox/services/supervision";
import { writeTokenFile } from "../../../sandbox/services/token-file";
import type { Tools } from "../../../sandbox/tools";
import { ensureWrappers } from "../../../sandbox/wrappers";

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

/** The stand-ins under the real engine, before a real Docker engine, a real registry and the emulated APIs. */
export class PluginWorld {
  private constructor(
    readonly root: string,
    /** The folder of the small program in `program/`. */
    readonly program: string,
    readonly environment: NodeJS.ProcessEnv,
    readonly cloud: Cloud,
    /** `localhost:PORT` */
    readonly registry: string,
    private readonly tools: Tools,
  ) {}

  static async start(): Promise<PluginWorld> {
    const root = await mkdtemp(join(tmpdir(), "hyperion-plugins-"));
    const paths = sandboxPaths(root);
    const quiet = (): void => undefined;
    const config = await ensureConfig(paths);
    await ensureKeys(paths);
    await writeTokenFile(root);
    const engine = { kind: "own" as const, host: ownEngineHost(paths) };
    const docker = await ensurePackages(engine, paths.bin, quiet);
    const tools: Tools = { pulumi: await ensurePulumi(quiet), docker, engine };
    const cloud = await startCloud({
      sandboxDir: root,
      port: config.cloudPort,
      registryPort: config.registryPort,
    });
    await ensureRegistry(paths, config);
    await ensureOwnEngine(paths);
    await ensureWrappers(paths, config, tools);
    for (const name of ["gcp", "docker"] as const) await installStandIn(name, paths.pulumiHome);
    await mkdir(paths.state, { recursive: true });
    const program = join(root, "program");
    await cp(join(__dirname, "program"), program, { recursive: true });
    await symlink(join(repositoryRoot, "node_modules"), join(program, "node_modules"));
    const environment = {
      ...(await commandEnvironment(paths, config, tools)),
      // Passing errors are tried again without a test having to wait for it.
      HYPERION_STAND_IN_BACKOFF_MS: "50",
    };
    return new PluginWorld(root, program, environment, cloud, `localhost:${config.registryPort}`, tools);
  }

  async stop(): Promise<void> {
    const paths = sandboxPaths(this.root);
    await this.cloud.close();
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
    const response = await fetch(this.cloud.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.environment["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? ""}`,
        "content-type": "application/json",
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
