import { execa } from "execa";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { quotaProjectOf } from "../../sandbox/emulator/testing/quota-project.ts";
import { mintAccessToken, MAINTAINER } from "../../sandbox/lib/tokens.ts";
import { emulatorUrl, registryHost } from "../../sandbox/lib/config.ts";
import { repositoryRoot, sandboxPaths } from "../../sandbox/lib/paths.ts";
import { commandEnvironment } from "../../sandbox/services/environment.ts";
import { requireRunning } from "../../sandbox/lib/require-sandbox.ts";
import { changeSettings, placeOf, quoted } from "./stack-file.ts";
import { endWatch, noteCommand, watchSandbox } from "./secrets/watching.ts";

/** The result of a command. */
export interface Outcome {
  code: number;
  stdout: string;
  /** Interleaved standard output and standard error. */
  output: string;
}

export interface CommandOptions {
  /** Default: the project's folder. */
  cwd?: string;
  /** Default: empty. */
  input?: string;
}

/** A running command. */
export interface Running {
  pid: number;
  /** The output so far. */
  printed(): string;
  /** Calls the listener with the output so far after each change. */
  onPrint(listener: (printed: string) => void): void;
  /** Has no code if a signal ended the command. */
  ended: Promise<{ code: number | undefined; signal: string | undefined; output: string }>;
}

/** A sandbox for a test file, in a temporary folder. */
export interface Sandbox {
  /** The environment of a shell after `npm run sandbox -- env`. */
  env: NodeJS.ProcessEnv;
  root: string;
  emulatorUrl: string;
  /** The stack's registry: `localhost:PORT/PROJECT/REPOSITORY`. */
  registry: string;
  /** A copy of the sample sources, from which the stack builds. Tests can change it. */
  sources: string;
  /** An empty folder for a test file. */
  scratch: string;
  /** `npm run sandbox -- WORDS`. */
  run(...words: string[]): Promise<Outcome>;
  /** `pulumi ARGS` on the sandbox's project. Rejects on failure. */
  pulumi(...args: string[]): Promise<string>;
  tryPulumi(...args: string[]): Promise<Outcome>;
  /** `pulumi up --yes --skip-preview ARGS`. Rejects on failure. */
  up(...args: string[]): Promise<string>;
  tryUp(...args: string[]): Promise<Outcome>;
  /** Rejects if a preview has changes. */
  expectNoChanges(...args: string[]): Promise<string>;
  /** Changes settings in the stack's file, as `pulumi config set-all --path ARGS` does. A name can be a path: `readers[0]`. */
  set(settings: Readonly<Record<string, string>>, ...args: string[]): Promise<void>;
  /** The same as `pulumi config rm --path ARGS`. */
  unset(name: string, ...args: string[]): Promise<void>;
  /** The same sandbox with further variables. */
  with(variables: NodeJS.ProcessEnv): Sandbox;
  /** Runs a command with `env` and these variables. */
  command(
    name: string,
    args: readonly string[],
    variables?: NodeJS.ProcessEnv,
    options?: CommandOptions,
  ): Promise<Outcome>;
  /** Starts a command without waiting for it. */
  start(name: string, args: readonly string[], variables?: NodeJS.ProcessEnv): Running;
  docker(...args: string[]): Promise<Outcome>;
  /** `docker` without a login. */
  anonymousDocker(...args: string[]): Promise<Outcome>;
  /** An output of the stack; JSON unless it is a string. */
  output(name: string): Promise<string>;
  /** Calls the emulated Google. Default principal: the maintainer. */
  google(
    method: string,
    path: string,
    body?: unknown,
    principal?: string,
  ): Promise<{ status: number; body: unknown }>;
  /** Ends its use after a last scan for secrets. */
  stop(): Promise<void>;
}

/** Runs a command with these variables only. */
export async function runCommand(
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { cwd = repositoryRoot, input = "" }: CommandOptions = {},
): Promise<Outcome> {
  const options = { cwd, input, env, extendEnv: false, all: true, reject: false } as const;
  const { all, stdout, exitCode } = await execa(name, args, options);
  return { code: exitCode ?? 1, stdout, output: all };
}

/** The same for a command that uses the sandbox in `root`. Its output is scanned for secrets. */
export async function commandIn(
  root: string,
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options?: CommandOptions,
): Promise<Outcome> {
  const outcome = await runCommand(name, args, env, options);
  noteCommand(root, [name, ...args], outcome.output);
  return outcome;
}

function startCommand(root: string, name: string, args: readonly string[], env: NodeJS.ProcessEnv): Running {
  const options = { cwd: repositoryRoot, env, extendEnv: false, all: true, reject: false } as const;
  const child = execa(name, args, options);
  let printed = "";
  child.all.on("data", (data: Buffer) => (printed += data.toString()));
  return {
    pid: child.pid ?? 0,
    printed: () => printed,
    onPrint: (listener) => {
      child.all.on("data", () => {
        listener(printed);
      });
    },
    ended: child.then(({ exitCode, signal, all }) => {
      noteCommand(root, [name, ...args], all);
      return { code: exitCode, signal, output: all };
    }),
  };
}

/** `npm run sandbox -- WORDS` for the sandbox in `root`. */
export async function runWords(root: string, ...words: string[]): Promise<Outcome> {
  const env = { ...process.env, HYPERION_SANDBOX_DIR: root };
  const outcome = await runCommand(process.execPath, ["sandbox/cli.ts", ...words], env);
  noteCommand(root, words, outcome.output);
  return outcome;
}

/** The same; rejects on failure. */
export async function succeed(root: string, ...words: string[]): Promise<Outcome> {
  const outcome = await runWords(root, ...words);
  if (outcome.code !== 0) throw new Error(`npm run sandbox -- ${words.join(" ")}: ${outcome.output}`);
  return outcome;
}

/** Starts a sandbox in a new folder and brings its stack up; `stop` takes it down. */
export async function startSandbox(): Promise<Sandbox> {
  const folder = await mkdtemp(join(tmpdir(), "hyp-"));
  await makeSandbox(folder);
  const sandbox = await openSandbox(folder);
  return {
    ...sandbox,
    stop: async () => {
      try {
        await sandbox.stop();
      } finally {
        await succeed(sandbox.root, "down", "--force");
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Starts a sandbox in `folder`, with a copy of the sample sources, and brings its stack up. */
export async function makeSandbox(folder: string): Promise<void> {
  const root = join(folder, "sb");
  const sources = join(folder, "sources");
  watchSandbox(root);
  try {
    await cp(join(repositoryRoot, "sandbox/hyperion"), sources, { recursive: true });
    await commitSources(sources);
    await succeed(root, "up", "--no-stack");
    const sourceDir = relative(repositoryRoot, sources);
    await succeed(root, "pulumi", "config", "set", "--stack", "sandbox", "sourceDir", sourceDir);
    await succeed(root, "up");
  } catch (error) {
    await runWords(root, "down", "--force");
    throw error;
  }
}

/** Makes a folder a git repository and commits its files. */
export async function commitSources(folder: string): Promise<void> {
  const commit = "git -c user.name=a -c user.email=a@example.com commit -qm sources";
  const script = `git init -q . && git add -A && { git diff --cached --quiet || ${commit}; }`;
  const { code, output } = await runCommand("bash", ["-c", script], process.env, { cwd: folder });
  if (code !== 0) throw new Error(`${folder} cannot be committed: ${output}`);
}

/** Opens the running sandbox of `makeSandbox`. It keeps running after `stop`. */
export async function openSandbox(folder: string): Promise<Sandbox> {
  const root = join(folder, "sb");
  const sources = join(folder, "sources");
  watchSandbox(root);
  const scratch = join(folder, "scratch");
  await mkdir(scratch, { recursive: true });
  const paths = sandboxPaths(root);
  const { config, tools } = requireRunning(paths);
  const registry = `${registryHost(config)}/hyperion-sandbox/hyperion-public`;
  const place = { root, emulatorUrl: emulatorUrl(config), registry, sources, scratch };
  return sandboxIn(place, await commandEnvironment(paths, config, tools));
}

type Place = Pick<Sandbox, "root" | "emulatorUrl" | "registry" | "sources" | "scratch">;

function sandboxIn(place: Place, env: NodeJS.ProcessEnv): Sandbox {
  const { root, emulatorUrl, scratch } = place;
  const { project } = sandboxPaths(root);
  const command: Sandbox["command"] = (name, args, variables = {}, options = {}) =>
    commandIn(root, name, args, { ...env, ...variables }, options);
  const tryPulumi = (...args: string[]): Promise<Outcome> => command("pulumi", args);
  const pulumi = async (...args: string[]): Promise<string> => {
    const { code, stdout, output } = await tryPulumi(...args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")}: ${output}`);
    return stdout;
  };
  const up = (args: readonly string[]): string[] => ["up", "--yes", "--skip-preview", ...args];

  return {
    ...place,
    env,
    run: (...words) => runWords(root, ...words),
    pulumi,
    tryPulumi,
    up: (...args) => pulumi(...up(args)),
    tryUp: (...args) => tryPulumi(...up(args)),
    expectNoChanges: (...args) => pulumi("preview", "--expect-no-changes", ...args),
    set: (settings, ...args) =>
      changeSettings(project, args, (document) => {
        for (const [name, value] of Object.entries(settings)) document.setIn(placeOf(name), quoted(value));
      }),
    unset: (name, ...args) =>
      changeSettings(project, args, (document) => {
        document.deleteIn(placeOf(name));
      }),
    with: (variables) => sandboxIn(place, { ...env, ...variables }),
    command,
    start: (name, args, variables = {}) => startCommand(root, name, args, { ...env, ...variables }),
    docker: (...args) => command("docker", args),
    anonymousDocker: (...args) => command("docker", args, { DOCKER_CONFIG: join(scratch, "no-login") }),
    output: async (name) => (await pulumi("stack", "output", name)).trim(),
    google: async (method, path, body, principal = MAINTAINER) => {
      const response = await fetch(`${emulatorUrl}/${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${await mintAccessToken(root, principal)}`,
          "Content-Type": "application/json",
          ...quotaProjectOf(path),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
    stop: () => endWatch(root),
  };
}
