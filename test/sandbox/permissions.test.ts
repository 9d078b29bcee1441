import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Grant, grantsOf, permissionsOf, without } from "./permissions/jobs.ts";
import { runLive } from "./permissions/live.ts";
import { runTrial, type Snapshot, type Trial } from "./permissions/trial.ts";
import { initImagesStack } from "../support/images-stack.ts";
import type { Outcome, Sandbox } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const STACK = ["--stack", "least"];
const UP = ["up", "--yes", "--skip-preview", ...STACK];
const GITHUB = { ciCanPublish: "true", githubRepository: "HyperionWave-AI/dev-squad" };

/** Shows that a permission is missing: Google's message, or a tag that the docker plugin cannot read. */
const MISSED =
  /Permission ['"][\w.]+['"] denied|required permission to use project|docker:index:RegistryImage +\S+ +delete/;

/** Required by the Organization Policy API for a person's login; no other request needs it. */
const QUOTA_PROJECT = { USER_PROJECT_OVERRIDE: "true" };

const sandbox = useSandbox();

/** Permissions to read. A program can continue after a refused read, but a refused write always fails. */
const READS = /\.(get\w*|list|downloadArtifacts)$/;

/** A run's outcome, and the permissions that its requests needed. */
interface Run extends Outcome {
  needed: string[];
}

/**
 * Runs the work without permissions to read: it must fail. Repeats that without those that no error has named yet, until each
 * was named or was the only one that was missing. Then runs the work with all permissions: it must succeed without a warning,
 * and need each of them.
 *
 * @returns the outcome with all of them
 */
async function expectExactlyThese<T extends Run>(
  job: string,
  work: (grants: readonly Grant[]) => Promise<T>,
): Promise<T> {
  const grants = grantsOf(job);
  let missing = permissionsOf(grants).filter((permission) => READS.test(permission));
  while (missing.length > 0) {
    const { code, output } = await work(without(grants, missing));
    expect(code, `${job} succeeds without ${missing.join(", ")}`).not.toBe(0);
    expect(output, `${job} without ${missing.join(", ")}`).toMatch(MISSED);
    const errors = errorsIn(output);
    const left =
      missing.length === 1 ? [] : missing.filter((each) => !errors.includes(`Permission '${each}' denied`));
    expect(left, `${job}: no error names one of these: ${output}`).not.toEqual(missing);
    missing = left;
  }
  const whole = await work(grants);
  expect(whole.code, `${job}: ${whole.output}`).toBe(0);
  expect(whole.output).not.toContain("Could not read the organization policy");
  expect(whole.needed).toEqual(expect.arrayContaining(permissionsOf(grants)));
  return whole;
}

/** The errors in Pulumi's diagnostics. A warning can name a permission that the program does without. */
function errorsIn(output: string): string {
  const diagnostics = output.split(/^ +(?=(?:error|warning): )/m);
  return diagnostics.filter((each) => each.startsWith("error: ")).join("\n");
}

describe("on copies of the emulated APIs and of the state", () => {
  let empty: string;
  let onEmpty: Sandbox;
  let provisioned: Snapshot;
  let open: Snapshot;
  const kept: Trial[] = [];

  beforeAll(async () => {
    empty = join(sandbox.scratch, "empty");
    await mkdir(empty);
    onEmpty = sandbox.with({ PULUMI_BACKEND_URL: `file://${empty}` });
    await onEmpty.pulumi("stack", "init", "least");
    await set({ "gcp:project": "hyperion-sandbox", "gcp:region": "us-central1" });
    await set({ publishImages: "false", protect: "false", ...GITHUB });
  });

  afterAll(async () => {
    for (const done of kept) await done.remove();
  });

  const set = (settings: Record<string, string>) => onEmpty.set(settings, ...STACK);

  async function expectPulumi(
    job: string,
    before: Snapshot,
    args: readonly string[],
    variables: NodeJS.ProcessEnv = {},
  ): Promise<Snapshot> {
    const whole = await expectExactlyThese(job, async (grants) => {
      const done = await runTrial(sandbox, before, grants, args, variables);
      kept.push(done);
      return done;
    });
    return whole.after;
  }

  test("provision", async () => {
    provisioned = await expectPulumi("provision", { emulator: undefined, backend: empty }, UP);
  });

  test("destroy", async () => {
    await expectPulumi("destroy", provisioned, ["destroy", "--yes", "--skip-preview", ...STACK]);
  });

  test("public access by an exception", async () => {
    await set({ publicAccess: "true", overrideDomainRestrictedSharing: "true" });
    open = await expectPulumi("publicByException", provisioned, UP, QUOTA_PROJECT);
  });

  test("private again", async () => {
    await set({ publicAccess: "false", overrideDomainRestrictedSharing: "false" });
    await expectPulumi("privateAgain", open, UP, QUOTA_PROJECT);
  });

  test("update", async () => {
    await set({
      "labels.team": "platform",
      "readers[0]": "user:dana@example.com",
      "githubRefs[0]": "refs/heads/main",
    });
    await expectPulumi("update", provisioned, UP);
  });
});

describe("in the sandbox itself", () => {
  const IN_SANDBOX = ["--stack", "sandbox"];
  let releases = 0;

  beforeAll(async () => {
    await sandbox.set({ ...GITHUB, version: "1.0.0" }, ...IN_SANDBOX);
    await sandbox.up(...IN_SANDBOX);
  });

  test("drift", async () => {
    const look = ["refresh", "--preview-only", "--expect-no-changes", ...IN_SANDBOX];
    await expectExactlyThese("drift", (grants) => runLive(sandbox, grants, "pulumi", look));
  });

  test("preview", async () => {
    const look = (grants: readonly Grant[]) => runLive(sandbox, grants, "pulumi", ["preview", ...IN_SANDBOX]);
    await expectExactlyThese("preview", look);
  });

  test("publish", async () => {
    await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n// another build\n");
    const publish = async (grants: readonly Grant[]) => {
      // A new version each time: a published version creates and moves no tags.
      await sandbox.set({ version: `2.${++releases}.0` }, ...IN_SANDBOX);
      return runLive(sandbox, grants, "pulumi", ["up", "--yes", "--skip-preview", ...IN_SANDBOX]);
    };
    await expectExactlyThese("publish", publish);
  });

  test("pull", async () => {
    const image = `${sandbox.registry}/hyperion-ui:latest`;
    await expectExactlyThese("pull", (grants) => runLive(sandbox, grants, "docker", ["pull", image]));
  });
});

describe("on a stack of images alone", () => {
  const OF_IMAGES = ["--stack", "images"];

  beforeAll(async () => {
    // With a version: without one, the stack would have no tags to check, because versions exist.
    await initImagesStack(sandbox, { version: "3.0.0" });
    await sandbox.up(...OF_IMAGES);
  });

  test("preview", async () => {
    const look = (grants: readonly Grant[]) =>
      runLive(sandbox, [...grantsOf("preview"), ...grants], "pulumi", ["preview", ...OF_IMAGES]);
    await expectExactlyThese("imagesAlone", look);
  });

  test("drift", async () => {
    const look = ["scripts/ci/main.ts", "tag-drift", "images"];
    await expectExactlyThese("driftOfImages", (grants) => runLive(sandbox, grants, process.execPath, look));
  });
});
