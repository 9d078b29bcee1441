import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { repositoryRoot, sandboxPaths } from "../../sandbox/paths";
import { mintAccessToken } from "../../sandbox/cloud/tokens";

/** What came of a command. */
export interface Outcome {
  code: number;
  stdout: string;
  /** Standard output and standard error, as a terminal shows them. */
  output: string;
}

/** A sandbox of a test's own, in a temporary folder. */
export interface Sandbox {
  /** What `npm run sandbox -- env` gives. */
  env: NodeJS.ProcessEnv;
  root: string;
  cloudUrl: string;
  /** A copy of the sample sources that the test may change; the stack builds from it. */
  sources: string;
  /** `npm run sandbox -- WORDS`. */
  run(...words: string[]): Promise<Outcome>;
  /** `pulumi ARGS` on the sandbox's project; fails the test unless it succeeds. */
  pulumi(...args: string[]): Promise<string>;
  /** The same, whatever comes of it. */
  tryPulumi(...args: string[]): Promise<Outcome>;
  docker(...args: string[]): Promise<Outcome>;
  /** `docker` of somebody who never logged in. */
  anonymousDocker(...args: string[]): Promise<Outcome>;
  /** An output of the stack, as JSON where it is no text. */
  output(name: string): Promise<string>;
  /** A call to the emulated Google, as a principal; by default the maintainer. */
  google(
    method: string,
    path: string,
    body?: unknown,
    principal?: string,
  ): Promise<{ status: number; body: unknown }>;
  stop(): Promise<void>;
}

export const MAINTAINER = "user:maintainer@example.com";

/** Starts a sandbox and brings its stack up. */
export async function startSandbox(): Promise<Sandbox> {
  // An import at the top becomes a `require` under tsx, which a package of execa's refuses.
  const { execa } = await import("execa");
  const folder = await mkdtemp(join(tmpdir(), "hyp-"));
  const root = join(folder, "sb");
  const sources = join(folder, "sources");
  await cp(join(repositoryRoot, "sandbox/hyperion"), sources, { recursive: true });

  const run = async (...words: string[]): Promise<Outcome> => {
    const { all, stdout, exitCode } = await execa("npx", ["tsx", "sandbox/cli.ts", ...words], {
      cwd: repositoryRoot,
      env: { HYPERION_SANDBOX_DIR: root },
      all: true,
      reject: false,
    });
    return { code: exitCode ?? 1, stdout, output: all };
  };
  const succeed = async (...words: string[]): Promise<Outcome> => {
    const outcome = await run(...words);
    if (outcome.code !== 0) throw new Error(`npm run sandbox -- ${words.join(" ")}: ${outcome.output}`);
    return outcome;
  };

  await succeed("up", "--no-stack");
  await succeed(
    "pulumi",
    "config",
    "set",
    "--stack",
    "sandbox",
    "sourceDir",
    relative(repositoryRoot, sources),
  );
  await succeed("up");
  const env = await shellEnvironment(root);
  const { cloudPort } = JSON.parse(await readFile(join(root, "config.json"), "utf8")) as {
    cloudPort: number;
  };
  const cloudUrl = `http://127.0.0.1:${cloudPort}`;

  const command = async (name: string, args: string[], extra: NodeJS.ProcessEnv = {}): Promise<Outcome> => {
    const { all, stdout, exitCode } = await execa(name, args, {
      env: { ...env, ...extra },
      extendEnv: false,
      all: true,
      reject: false,
    });
    return { code: exitCode ?? 1, stdout, output: all };
  };
  const tryPulumi = (...args: string[]): Promise<Outcome> => command("pulumi", args);
  const pulumi = async (...args: string[]): Promise<string> => {
    const { code, stdout, output } = await tryPulumi(...args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")}: ${output}`);
    return stdout;
  };

  return {
    env,
    root,
    cloudUrl,
    sources,
    run,
    pulumi,
    tryPulumi,
    docker: (...args) => command("docker", args),
    anonymousDocker: (...args) => command("docker", args, { DOCKER_CONFIG: join(folder, "no-login") }),
    output: async (name) => (await pulumi("stack", "output", name)).trim(),
    google: async (method, path, body, principal = MAINTAINER) => {
      const response = await fetch(`${cloudUrl}/${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${await mintAccessToken(root, principal)}`,
          "Content-Type": "application/json",
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
    stop: async () => {
      await succeed("down", "--force");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The variables of a shell in which the lines of `npm run sandbox -- env` were run. */
async function shellEnvironment(root: string): Promise<NodeJS.ProcessEnv> {
  const { execa } = await import("execa");
  const script = 'eval "$(npx tsx sandbox/cli.ts env)" && env -0';
  const { stdout } = await execa("bash", ["-c", script], {
    cwd: repositoryRoot,
    env: { HYPERION_SANDBOX_DIR: sandboxPaths(root).root },
  });
  return Object.fromEntries(
    stdout
      .split("\0")
      .filter((line) => line !== "")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}
