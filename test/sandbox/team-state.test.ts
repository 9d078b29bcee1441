import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Buckets, startBuckets } from "../../sandbox/emulator/testing/buckets.ts";
import { type Emulator, startEmulator } from "../../sandbox/emulator/server.ts";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { MAINTAINER, mintAccessToken } from "../../sandbox/lib/tokens.ts";
import { initImagesStack } from "../support/images-stack.ts";
import { failed, passed } from "../support/outcome.ts";
import type { Outcome } from "../support/sandbox.ts";
import { endWatch, watchSandbox } from "../support/secrets/watching.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const PROJECT = "hyperion-sandbox";
const BUCKET = `${PROJECT}-pulumi-state`;
const IMAGES = `${BUCKET}-images`;
const [CI, PREVIEW] = ["hyperion-ci", "hyperion-ci-preview"].map(
  (name) => `${name}@${PROJECT}.iam.gserviceaccount.com`,
) as [string, string];

const sandbox = useSandbox();
const [ofCi, ofPreview] = [`serviceAccount:${CI}`, `serviceAccount:${PREVIEW}`];

let dir: string;
let emulator: Emulator;
let buckets: Buckets;
/** The Cloud Storage host for each principal. */
const hosts: Record<string, string> = {};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "hyperion-team-"));
  // Copies the sandbox's keys, so that one token is valid at both.
  const [from, to] = [sandboxPaths(sandbox.root), sandboxPaths(dir)];
  cpSync(dirname(from.key), dirname(to.key), { recursive: true });
  emulator = await startEmulator({ sandboxDir: dir, port: 0, registryPort: 1 });
  buckets = await startBuckets({ url: emulator.url, sandboxDir: dir });
  watchSandbox(dir);
  for (const principal of [MAINTAINER, ...[CI, PREVIEW].map((email) => `serviceAccount:${email}`)])
    hosts[principal] = await buckets.as(principal);
});

afterAll(async () => {
  await endWatch(dir);
  await buckets.stop();
  await emulator.close();
  rmSync(dir, { recursive: true, force: true });
});

async function google(method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${path.startsWith("storage") ? `${buckets.url}/` : emulator.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${await mintAccessToken(dir, MAINTAINER)}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function createAccounts(): Promise<void> {
  for (const accountId of ["hyperion-ci", "hyperion-ci-preview"])
    await google("POST", `v1/projects/${PROJECT}/serviceAccounts`, { accountId, serviceAccount: {} });
}

describe("the stacks with their states in Cloud Storage", () => {
  const ON = { registry: ["--stack", "registry"], images: ["--stack", "images"] };
  const STATES = { registry: `gs://${BUCKET}`, images: `gs://${IMAGES}` };
  type Stack = keyof typeof ON;

  /** The environment of a principal for a stack: for Google, the registry and Cloud Storage. */
  const as = async (principal: string, stack: Stack): Promise<NodeJS.ProcessEnv> => ({
    PULUMI_BACKEND_URL: STATES[stack],
    STORAGE_EMULATOR_HOST: hosts[principal],
    GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(dir, principal),
    HYPERION_SANDBOX_PRINCIPAL: principal,
    HYPERION_FAKE_PROVIDER_BACKOFF_MS: "5",
    // Only a person's own login names a quota project.
    ...(principal !== MAINTAINER && { USER_PROJECT_OVERRIDE: undefined }),
  });
  const run = async (principal: string, stack: Stack, ...args: string[]): Promise<Outcome> =>
    sandbox.command("pulumi", [...args, ...ON[stack]], await as(principal, stack));
  const succeed = async (principal: string, stack: Stack, ...args: string[]): Promise<string> =>
    passed(await run(principal, stack, ...args));
  const UP = ["up", "--yes", "--skip-preview"];

  beforeAll(async () => {
    await sandbox.pulumi("destroy", "--yes", "--skip-preview");
    await makeBuckets();
    await initImagesStack(sandbox.with(await as(MAINTAINER, "images")));
    const registry = sandbox.with(await as(MAINTAINER, "registry"));
    await registry.pulumi("stack", "init", "registry", "--no-select");
    const settings = {
      "gcp:project": PROJECT,
      "gcp:region": "us-central1",
      publishImages: "false",
      protect: "false",
      ciCanPublish: "true",
      githubRepository: "HyperionWave-AI/dev-squad",
    };
    await registry.set(settings, ...ON.registry);
  });

  async function makeBuckets(): Promise<void> {
    await createAccounts();
    for (const [name, role] of [
      [BUCKET, undefined],
      [IMAGES, "roles/storage.objectUser"],
    ] as const) {
      await google("POST", `storage/v1/b?project=${PROJECT}`, { name });
      const bindings = [
        { role: "roles/storage.legacyBucketOwner", members: [`projectOwner:${PROJECT}`] },
        { role: "roles/storage.legacyObjectOwner", members: [`projectOwner:${PROJECT}`] },
        { role: "roles/storage.objectViewer", members: [ofPreview] },
        ...(role === undefined ? [] : [{ role, members: [ofCi] }]),
      ];
      await google("PUT", `storage/v1/b/${name}/iam`, { bindings });
    }
  }

  test("a maintainer creates the registry, and a second up changes nothing", async () => {
    await succeed(MAINTAINER, "registry", ...UP);
    await succeed(MAINTAINER, "registry", "up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  test("CI publishes the images from their own state, and changes nothing the second time", async () => {
    await succeed(ofCi, "images", ...UP);
    await succeed(ofCi, "images", "preview", "--expect-no-changes");
  });

  test("CI has no permission on the infrastructure's state", async () => {
    for (const args of [["preview"], ["stack", "export"], UP, ["cancel", "--yes"]]) {
      failed(await run(ofCi, "registry", ...args));
    }
    expect(buckets.refused.filter((line) => line.endsWith(`${BUCKET} ${ofCi}`))).not.toEqual([]);
    const gone = await fetch(`http://${hosts[ofCi] ?? ""}/storage/v1/b/${BUCKET}/o`);
    expect(gone.status).toBe(403);
  });

  test("the preview account reads both states and writes neither", async () => {
    for (const stack of ["registry", "images"] as const) {
      await succeed(ofPreview, stack, "preview", "--expect-no-changes");
      failed(await run(ofPreview, stack, ...UP));
    }
    await succeed(MAINTAINER, "registry", "preview", "--expect-no-changes");
  });

  test("neither state holds a secret", async () => {
    for (const stack of ["registry", "images"] as const) {
      const state = await succeed(MAINTAINER, stack, "stack", "export", "--show-secrets");
      const { deployment } = JSON.parse(state) as { deployment: { resources: { inputs?: object }[] } };
      const inputs = JSON.stringify(deployment.resources.map((resource) => resource.inputs))
        // Public words about tokens: the issuer's address and what the provider is for.
        .replaceAll("https://token.actions.githubusercontent.com", "")
        .replaceAll("Tokens of GitHub Actions", "");
      expect(inputs).not.toMatch(/password|"username"|token|secret|private_?key/i);
      expect(state).not.toContain(await mintAccessToken(dir, MAINTAINER));
      expect(state).not.toContain("oauth2accesstoken");
    }
  });

  test.each<[Stack, () => string]>([
    ["registry", () => MAINTAINER],
    ["images", () => ofCi],
  ])("%s: a second up is refused, also after a kill, until the lock is released", async (stack, who) => {
    const principal = who();
    const env = await as(principal, stack);
    const startUp = () => sandbox.start("pulumi", [...UP, ...ON[stack]], env);
    const first = startUp();
    await waitForLock(stack);
    // Pauses it while it holds the lock, however long the other run takes to start.
    process.kill(first.pid, "SIGSTOP");
    expect(failed(await run(principal, stack, ...UP))).toContain(
      "the stack is currently locked by 1 lock(s)",
    );
    process.kill(first.pid, "SIGKILL");
    await first.ended;
    expect((await run(principal, stack, ...UP)).output).toContain("currently locked");
    await succeed(principal, stack, "cancel", "--yes");
    await succeed(principal, stack, "refresh", "--yes", "--clear-pending-creates");
    await succeed(principal, stack, ...UP);
    await succeed(principal, stack, "preview", "--expect-no-changes");
  });

  /** Waits until a stack is locked. */
  async function waitForLock(stack: Stack): Promise<void> {
    const prefix = encodeURIComponent(".pulumi/locks/");
    const path = `storage/v1/b/${STATES[stack].slice("gs://".length)}/o?prefix=${prefix}`;
    const locks = async (): Promise<number> =>
      ((await (await google("GET", path)).json()) as { items?: object[] }).items?.length ?? 0;
    await expect.poll(locks, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
  }
});
