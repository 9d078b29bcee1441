import { execa } from "execa";
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import images from "../../images.json" with { type: "json" };
import type { GithubRun } from "../../sandbox/emulator/support/github-issuer.ts";
import { mintGithubApiToken } from "../../sandbox/emulator/support/github/tokens.ts";
import { type Buckets, startBuckets } from "../../sandbox/emulator/testing/buckets.ts";
import { compileCache, repositoryRoot, sandboxPaths } from "../../sandbox/lib/paths.ts";
import { MAINTAINER, mintAccessToken } from "../../sandbox/lib/tokens.ts";
import { readTools } from "../../sandbox/lib/tools.ts";
import { ensureGoTool } from "../../sandbox/machine/install-go-tool.ts";
import { google, PACKAGES, tagsOf } from "./google.ts";
import type { Outcome, Running, Sandbox } from "./sandbox.ts";

/** The emulated repository. */
export const REPOSITORY = "HyperionWave-AI/dev-squad";

/** The repository of the sources if they are separate. */
export const SOURCES = "HyperionWave-AI/sources";

const BOT = "github-actions[bot]";

/**
 * Replacements of external actions: a module in `actions/` and default inputs. Actions without a module install programs that
 * no test needs.
 */
const STAND_INS: Readonly<Record<string, { module?: string; defaults?: Record<string, string> }>> = {
  "actions/checkout": {
    module: "checkout.ts",
    defaults: { repository: "${{ github.repository }}", ref: "", path: ".", "persist-credentials": "true" },
  },
  "actions/setup-node": { module: "setup-node.ts" },
  "actions/github-script": { module: "github-script.ts" },
  "actions/upload-artifact": { module: "upload-artifact.ts" },
  "actions/download-artifact": { module: "download-artifact.ts" },
  "actions/attest-build-provenance": { module: "attest.ts" },
  "actions/attest-sbom": { module: "attest.ts" },
  "anchore/sbom-action/download-syft": { module: "download-syft.ts" },
  "docker/setup-qemu-action": {},
  "google-github-actions/auth": { module: "auth.ts" },
  "sigstore/cosign-installer": {},
};

const workflow = z.object({
  jobs: z.record(
    z.string(),
    z.object({
      permissions: z.record(z.string(), z.string()).default({}),
      environment: z.string().optional(),
    }),
  ),
});

/** Cloud Storage's list of objects. */
const listed = z.object({ items: z.array(z.object({ name: z.string() })).default([]) });

async function outcomeOf({ ended }: Running): Promise<Outcome> {
  const { code = 1, output } = await ended;
  return { code, stdout: output, output };
}

/** An event that starts a workflow. */
interface Trigger {
  /** Default: `push`. */
  event?: string;
  /** Default: `refs/heads/main`. */
  ref?: string;
  /** Default: the tip of main. */
  commit?: string;
  /** Further fields of the event. */
  payload?: object;
  /** Override the repository's variables. */
  vars?: Record<string, string>;
  /** Lifetime of Google's access tokens, in seconds. Default: an hour. */
  tokenSeconds?: number;
  /** A folder that comes first on the runner's PATH. */
  path?: string;
  /** Whether GitHub accepts attestations. Default: true. */
  attests?: boolean;
}

export interface Attestation {
  kind: "provenance" | "sbom";
  name: string;
  digest: string;
}

export type Stack = "production" | "production-images";

/** A repository of this project at the emulated GitHub. Workflows run on this machine. */
export interface Github {
  /** A clone with main checked out. */
  folder: string;
  /** Variables of the repository. */
  vars: Record<string, string>;
  /** Runs git in the clone. */
  git(...args: string[]): Promise<string>;
  /** Commits and pushes the clone's changes; returns the commit. */
  push(ref?: string): Promise<string>;
  /** Runs `npm run bootstrap` in the clone as the maintainer, and reads the repository's variables; returns its output. */
  bootstrap(): Promise<string>;
  /** Runs pulumi in the clone. Default principal: the maintainer. */
  pulumi(stack: Stack, args: readonly string[], principal?: string): Promise<Outcome>;
  /** Starts the same without waiting for it. */
  startPulumi(stack: Stack, args: readonly string[], principal?: string): Promise<Running>;
  /** Runs a workflow of the clone; `onPrint` gets the output so far after each change. */
  run(file: string, trigger?: Trigger, onPrint?: (printed: string) => void): Promise<Outcome>;
  /** The attestations of the last run. */
  attestations(): Promise<Attestation[]>;
  /** Writes an object to the bucket of a stack's state as the maintainer; deletes it without a text. */
  putObject(stack: Stack, name: string, text?: string): Promise<void>;
  /** The names of the objects there that start with a prefix. */
  objects(stack: Stack, prefix: string): Promise<string[]>;
  /** The permissions on that bucket that a principal lacked in its requests. */
  refused(stack: Stack, principal: string): string[];
  /** Calls GitHub's API as the maintainer. */
  api(method: string, path: string, body?: object): Promise<unknown>;
}

/** Copies files that git tracks or would track. */
async function copyProject(to: string): Promise<void> {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const { stdout } = await execa("git", list, { cwd: repositoryRoot });
  const { stdout: gone } = await execa("git", ["ls-files", "--deleted", "-z"], { cwd: repositoryRoot });
  const deleted = new Set(gone.split("\0"));
  for (const file of stdout.split("\0").filter((name) => name !== "" && !deleted.has(name)))
    await cp(join(repositoryRoot, file), join(to, file), { preserveTimestamps: true });
}

/** Writes the replacements of the pinned actions; returns act's options for them. */
async function writeStandIns(folder: string, workflows: string, server: string): Promise<string[]> {
  const files = (await readdir(workflows, { recursive: true })).filter((name) => name.endsWith(".yml"));
  const texts = await Promise.all(files.map((name) => readFile(join(workflows, name), "utf8")));
  const pinned = new Set(texts.join("\n").match(/(?<=uses: )[^.\s]\S*@[0-9a-f]{40}/g));
  const options: string[] = [];
  for (const uses of pinned) {
    const [name = ""] = uses.split("@");
    const standIn = STAND_INS[name];
    if (standIn === undefined) throw new Error(`nothing stands in for ${uses}`);
    const place = join(folder, name);
    await mkdir(place, { recursive: true });
    const { module, defaults = {} } = standIn;
    const inputs = Object.entries(defaults).map(([input, value]) => [
      input,
      { description: input, default: value },
    ]);
    const action = {
      name,
      description: "A stand-in",
      inputs: Object.fromEntries(inputs) as object,
      runs: { using: "node24", main: "main.mjs" },
    };
    await writeFile(join(place, "action.yml"), JSON.stringify(action));
    const code =
      module === undefined ? "" : `await import("file://${join(import.meta.dirname, "actions", module)}");\n`;
    await writeFile(join(place, "main.mjs"), code);
    const repository = name.split("/").slice(0, 2).join("/");
    const version = uses.slice(name.length);
    options.push("--local-repository", `${server}/${repository}${version}=${join(folder, repository)}`);
  }
  return options;
}

/** The project of production. */
export const PROJECT = "first-day-471920";

/** The digest of each tag of an image of production. */
export const productionTags = (sandbox: Sandbox, image: string): Promise<Record<string, string>> =>
  tagsOf(sandbox, image, PACKAGES.replace("hyperion-sandbox", PROJECT));

/**
 * A new project at Google and a repository at GitHub that holds this tree and the sources, after `npm run bootstrap` by a
 * maintainer with the documented roles.
 */
export function useProduction(sandbox: Sandbox): Github {
  const github = {} as Github;
  let buckets: Buckets | undefined;
  beforeAll(async () => {
    buckets = await startBuckets({ url: sandbox.emulatorUrl, sandboxDir: sandbox.root });
    await google(sandbox, "POST", "sandbox/projects", { projectId: PROJECT });
    Object.assign(github, await useGithub(sandbox, buckets));
    await github.bootstrap();
    await linkLayers(sandbox);
    await github.push();
  }, 900_000);
  afterAll(() => buckets?.stop());
  return github;
}

/**
 * Links the layers of the sandbox's own images to those of production, as after an earlier run. Otherwise, the engine compresses
 * the layers of the base images, which takes a dozen seconds.
 */
async function linkLayers({ root }: Sandbox): Promise<void> {
  const repositories = join(sandboxPaths(root).registry, "docker/registry/v2/repositories");
  const layers = (project: string, image: string): string =>
    join(repositories, project, "hyperion-public", image, "_layers");
  for (const { name } of images)
    await cp(layers("hyperion-sandbox", name), layers(PROJECT, name), { recursive: true });
}

/** Pushes the sources, in a folder, to main of their separate repository; returns the commit. */
export async function pushSources(sandbox: Sandbox, github: Github, folder: string): Promise<string> {
  const clone = join(sandbox.scratch, "sources-clone");
  // Without the folder's `.git`.
  await cp(join(sandbox.sources, "coordinator"), join(clone, folder, "coordinator"), { recursive: true });
  const git = (...args: string[]): Promise<string> => github.git("-C", clone, ...args);
  await git("init", "--quiet", "--initial-branch", "main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "Sources");
  await git("push", "--quiet", join(sandbox.scratch, "github", SOURCES), "main");
  return git("rev-parse", "HEAD");
}

/** Makes the repository at the emulated GitHub. */
async function useGithub(sandbox: Sandbox, buckets: Buckets): Promise<Github> {
  const place = join(sandbox.scratch, "github");
  const folder = join(sandbox.scratch, "clone");
  const server = `file://${place}`;
  const tools = readTools(sandboxPaths(sandbox.root));
  if (tools === undefined) throw new Error("the sandbox was never up");
  await mkdir(folder, { recursive: true });
  await copyProject(folder);
  await cp(join(sandbox.sources, "coordinator"), join(folder, "coordinator"), { recursive: true });
  const standIns = await writeStandIns(join(sandbox.scratch, "stand-ins"), join(folder, ".github"), server);
  const act = await ensureGoTool("act", (line) => {
    console.error(line);
  });

  // The runner's PATH has no sandbox, and `npm ci` links to the installed packages.
  const bin = join(sandbox.scratch, "bin");
  await mkdir(bin);
  await symlink(join(sandboxPaths(sandbox.root).bin, "docker"), join(bin, "docker"));
  const npm = `#!/bin/sh\n[ "$1" != ci ] || exec ln -s ${join(repositoryRoot, "node_modules")} node_modules\nexit 1\n`;
  await writeFile(join(bin, "npm"), npm, { mode: 0o755 });
  const elsewhere = (sandbox.env["PATH"] ?? "").split(":").filter((each) => !each.startsWith(sandbox.root));
  const PATH = [bin, dirname(process.execPath), ...elsewhere].join(":");
  const without = Object.fromEntries(
    [
      ...["GOOGLE_OAUTH_ACCESS_TOKEN", "USER_PROJECT_OVERRIDE", "GOOGLE_BILLING_PROJECT", "DOCKER_CONFIG"],
      ...[
        "HYPERION_SANDBOX_SHELL",
        "HYPERION_PROJECT_DIR",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
        "PULUMI_BACKEND_URL",
      ],
    ].map((name) => [name, undefined]),
  );

  const command = async (name: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const { code, stdout, output } = await sandbox.command(name, args, env, { cwd: folder });
    if (code !== 0) throw new Error(`${name} ${args.join(" ")}: ${output}`);
    return stdout.trim();
  };
  const git: Github["git"] = (...args) =>
    command("git", ["-c", "user.name=n", "-c", "user.email=e@example.com", ...args]);
  const push: Github["push"] = async (ref = "refs/heads/main") => {
    await git("add", "--all");
    await git("commit", "--quiet", "--allow-empty", "--message", "A change");
    await git("push", "--quiet", "--force", "origin", `HEAD:${ref}`);
    return git("rev-parse", "HEAD");
  };
  await git("init", "--quiet", "--initial-branch", "main");
  await writeFile(join(folder, ".git/info/exclude"), "/node_modules\n");
  for (const name of [REPOSITORY, SOURCES]) {
    const bare = join(place, name);
    await git("init", "--quiet", "--bare", "--initial-branch", "main", bare);
    await git("-C", bare, "config", "uploadpack.allowAnySHA1InWant", "true");
  }
  await git("remote", "add", "origin", `${server}/${REPOSITORY}`);
  await push();
  await symlink(join(repositoryRoot, "node_modules"), join(folder, "node_modules"));

  const api: Github["api"] = async (method, path, body) => {
    const token = await mintGithubApiToken(sandbox.root, { login: "maintainer" });
    const response = await fetch(`${sandbox.emulatorUrl}/api/v3/repos/${REPOSITORY}${path}`, {
      method,
      headers: { authorization: `token ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
  const maintainer = {
    GOOGLE_STORAGE_CUSTOM_ENDPOINT: `${buckets.url}/storage/v1/`,
    STORAGE_EMULATOR_HOST: await buckets.as(MAINTAINER),
    HYPERION_PULUMI: tools.pulumi.path,
    PATH: [bin, ...(sandbox.env["PATH"] ?? "").split(":")].join(":"),
    // The sandbox's maintainer pays for other projects with its own.
    USER_PROJECT_OVERRIDE: undefined,
    GOOGLE_BILLING_PROJECT: undefined,
  };

  const vars: Record<string, string> = {};
  /** Address of Cloud Storage for each service account. */
  const storage: Record<string, string> = {};
  const bootstrap: Github["bootstrap"] = async () => {
    const output = await command(
      process.execPath,
      [
        ...["scripts/bootstrap/main.ts", "--project", PROJECT, "--github", REPOSITORY],
        ...["--secrets-provider", "passphrase", "--yes"],
      ],
      {
        ...maintainer,
        GITHUB_API_URL: `${sandbox.emulatorUrl}/api/v3`,
        GH_TOKEN: await mintGithubApiToken(sandbox.root, { login: "maintainer" }),
        PULUMI_BACKEND_URL: undefined,
        HYPERION_PROJECT_DIR: undefined,
      },
    );
    const { variables } = (await api("GET", "/actions/variables")) as {
      variables: { name: string; value: string }[];
    };
    for (const { name, value } of variables) {
      vars[name] = value;
      if (name.endsWith("SERVICE_ACCOUNT")) storage[value] ??= await buckets.as(`serviceAccount:${value}`);
    }
    return output;
  };
  let runs = 0;
  let last = "";
  const run: Github["run"] = async (file, trigger = {}, onPrint = () => undefined) => {
    const { event = "push", ref = "refs/heads/main", payload = {}, tokenSeconds = 3600 } = trigger;
    const commit = trigger.commit ?? (await git("rev-parse", "HEAD"));
    const own = join(sandbox.scratch, `run-${(runs += 1)}`);
    await mkdir(own);
    const write = async (name: string, content: string): Promise<string> => {
      await writeFile(join(own, name), content, { mode: 0o600 });
      return join(own, name);
    };
    const { jobs } = workflow.parse(parse(await readFile(join(folder, ".github/workflows", file), "utf8")));
    const tokens: Record<string, string> = {};
    for (const [job, { permissions, environment }] of Object.entries(jobs)) {
      const named = Object.entries(permissions).map(([name, level]) => [name.replaceAll("-", "_"), level]);
      const of: GithubRun = { repository: REPOSITORY, eventName: event, ref, workflow: file };
      tokens[job] = await mintGithubApiToken(sandbox.root, {
        login: BOT,
        permissions: Object.fromEntries(named) as Record<string, string>,
        run: { ...of, ...(environment !== undefined && { environment }) },
      });
    }
    last = own;
    const { attests = true } = trigger;
    const github = {
      tokens,
      google: sandbox.emulatorUrl,
      storage,
      tokenSeconds,
      node: process.execPath,
      folder: own,
      attests,
    };
    // `github.token` in steps that run commands. act has one for all jobs; it has permission to read.
    const readers = { contents: "read", issues: "read" };
    const reader = await mintGithubApiToken(sandbox.root, { login: BOT, permissions: readers });
    const content = { ref, repository: { full_name: REPOSITORY, default_branch: "main" }, ...payload };
    const lines = (of: object): string =>
      Object.entries(of)
        .map(([name, value]) => `${name}=${String(value)}\n`)
        .join("");
    const env = {
      GITHUB_REPOSITORY: REPOSITORY,
      GITHUB_SERVER_URL: server,
      GITHUB_API_URL: `${sandbox.emulatorUrl}/api/v3`,
      GITHUB_RUN_ID: String(17_000_000_000 + runs),
      SHA_REF: commit,
      ATTESTATION_WAIT: "0",
    };
    const options = [
      ...[
        "--workflows",
        `.github/workflows/${file}`,
        "--eventpath",
        await write("event.json", JSON.stringify(content)),
      ],
      ...["--platform", "ubuntu-24.04=-self-hosted", "--no-skip-checkout", "--no-cache-server"],
      ...["--action-cache-path", join(own, "act"), "--env-file", await write("env", lines(env))],
      ...["--secret-file", await write("secrets", lines({ GITHUB_TOKEN: reader }))],
      ...["--var-file", await write("vars", lines({ ...vars, ...trigger.vars })), ...standIns],
    ];
    const variables = {
      ...without,
      PATH: trigger.path === undefined ? PATH : `${trigger.path}:${PATH}`,
      REGISTRY_HOST: sandbox.registry.replace(/\/.*/, ""),
      HYPERION_PULUMI: tools.pulumi.path,
      NODE_COMPILE_CACHE: compileCache,
      STAND_IN_RUN: await write("run.json", JSON.stringify(github)),
    };
    const running = sandbox.start(act, [event, "--directory", folder, ...options], variables);
    running.onPrint(onPrint);
    return outcomeOf(running);
  };

  const bucketOf = (stack: Stack): string => {
    const name = stack === "production" ? "PULUMI_BACKEND_URL" : "PULUMI_IMAGES_BACKEND_URL";
    return (vars[name] ?? "").replace("gs://", "");
  };
  const startPulumi: Github["startPulumi"] = async (stack, args, principal = MAINTAINER) =>
    sandbox.start(tools.pulumi.path, [...args, "--stack", stack, "--cwd", folder], {
      ...maintainer,
      PULUMI_BACKEND_URL: `gs://${bucketOf(stack)}`,
      ...(principal !== MAINTAINER && {
        GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(sandbox.root, principal),
        STORAGE_EMULATOR_HOST: storage[principal.replace("serviceAccount:", "")],
      }),
    });
  /** Calls Cloud Storage as the maintainer. */
  const callStorage = async (method: string, path: string, body?: string): Promise<string> => {
    const token = await mintAccessToken(sandbox.root, MAINTAINER);
    const response = await fetch(`${buckets.url}/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return text;
  };

  return {
    folder,
    vars,
    git,
    push,
    run,
    attestations: async () => {
      const lines = await readFile(join(last, "attestations"), "utf8").catch(() => "");
      return lines
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Attestation);
    },
    bootstrap,
    startPulumi,
    pulumi: async (...args) => outcomeOf(await startPulumi(...args)),
    putObject: async (stack, name, text) => {
      const bucket = `storage/v1/b/${bucketOf(stack)}/o`;
      await (text === undefined
        ? callStorage("DELETE", `${bucket}/${encodeURIComponent(name)}`)
        : callStorage("POST", `upload/${bucket}?uploadType=media&name=${encodeURIComponent(name)}`, text));
    },
    objects: async (stack, prefix) => {
      const path = `storage/v1/b/${bucketOf(stack)}/o?prefix=${encodeURIComponent(prefix)}`;
      const { items } = listed.parse(JSON.parse(await callStorage("GET", path)));
      return items.map(({ name }) => name);
    },
    refused: (stack, principal) =>
      buckets.refused
        .map((line) => line.split(" "))
        .filter(([, bucket, by]) => bucket === bucketOf(stack) && by === principal)
        .map(([permission = ""]) => permission),
    api,
  };
}
