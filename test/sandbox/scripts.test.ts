import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import images from "../../images.json" with { type: "json" };
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const PACKAGES = "v1/projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public/packages";

const sandbox = useSandbox();
let registry: string;

beforeAll(async () => {
  registry = await sandbox.output("registryUrl");
});

/** The digest that a tag stands for in the registry; undefined when there is no such tag. */
async function digestOf(image: string, tag: string): Promise<string | undefined> {
  const { status, body } = await sandbox.google("GET", `${PACKAGES}/${image}/tags/${tag}`);
  return status === 404 ? undefined : (body as { version: string }).version.replace(/^.*\//, "");
}

const setting = async (name: string): Promise<string> => {
  const { code, stdout } = await sandbox.tryPulumi("config", "get", name);
  return code === 0 ? stdout.trim() : "";
};

describe("build-and-push-images.sh", () => {
  const publish = (args: string[], extra: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
    sandbox.command(
      "scripts/build-and-push-images.sh",
      ["--registry", registry, "--source", sandbox.sources, ...args],
      extra,
    );

  test("publishes every image under every tag of a version, each image on one digest", async () => {
    const { code, output } = await publish(["--version", "3.1.4"]);
    expect(output).toMatch(
      /^hyperion-ui +pushed +\d+ +sha256:[0-9a-f]{64} +3\.1\.4, 3\.1, 3, latest, v3\.1\.4$/m,
    );
    expect(code).toBe(0);
    for (const { name } of images) {
      const digest = await digestOf(name, "3.1.4");
      expect(digest).toMatch(/^sha256:/);
      for (const tag of ["v3.1.4", "3.1", "3", "latest"]) expect(await digestOf(name, tag)).toBe(digest);
    }
  });

  test("is safe to run again", async () => {
    const before = await digestOf("hyperion-ui", "3.1.4");
    const { code, output } = await publish(["--version", "3.1.4"]);
    expect(output).not.toContain("pushing 3.1.4");
    expect(code).toBe(0);
    expect(await digestOf("hyperion-ui", "3.1.4")).toBe(before);
  });

  test("refuses to move a version, publishes the rest, and a new version is the way out", async () => {
    const before = await digestOf("hyperion-ui", "3.1.4");
    await appendFile(join(sandbox.sources, "coordinator/ui/server.js"), "\n// another build\n");
    const { code, output } = await publish(["--version", "3.1.4"]);
    expect(code).toBe(1);
    expect(output).toContain(`hyperion-ui: refused: 3.1.4 is published already, as ${before ?? ""}`);
    expect(output).toMatch(/^hyperion-coordinator-mcp +pushed/m);
    expect(await digestOf("hyperion-ui", "3.1.4")).toBe(before);
    expect((await publish(["--version", "3.1.5", "--skip-build", "--only", "hyperion-ui"])).code).toBe(0);
    expect(await digestOf("hyperion-ui", "3.1.5")).not.toBe(before);
    expect(await digestOf("hyperion-ui", "3.1")).toBe(await digestOf("hyperion-ui", "3.1.5"));
  });

  test("a build that fails is told by its failing step, and the others are published", async () => {
    const dockerfile = join(sandbox.sources, "coordinator/ui/Dockerfile");
    const good = await readFile(dockerfile, "utf8");
    await writeFile(
      dockerfile,
      `${good}\nRUN ["node", "-e", "console.log('no such luck'); process.exit(7)"]\n`,
    );
    const { code, output } = await publish(["--version", "3.2.0"]);
    await writeFile(dockerfile, good);
    expect(code).toBe(1);
    expect(output).toMatch(/^hyperion-ui +build failed/m);
    expect(output).toContain("no such luck");
    expect(await digestOf("hyperion-ui", "3.2.0")).toBeUndefined();
    expect(await digestOf("hyperion-http-bridge", "3.2.0")).toBeDefined();
  });

  test("is refused at the registry without the role of a writer", async () => {
    const revision = "def456a0".repeat(5);
    const { code, output } = await publish(["--revision", revision, "--only", "hyperion-ui"], {
      HYPERION_SANDBOX_PRINCIPAL: "user:dana@example.com",
    });
    expect(code).toBe(1);
    expect(output).toMatch(/hyperion-ui: push failed: def456a: .*denied/);
    expect(await digestOf("hyperion-ui", "def456a")).toBeUndefined();
  });

  test("begins nothing without a login or a local image to push", async () => {
    const noLogin = await publish([], { DOCKER_CONFIG: join(sandbox.root, "no-login") });
    expect(noLogin.code).toBe(2);
    expect(noLogin.output).toContain(`not logged in at ${registry.replace(/\/.*/, "")}`);
    await sandbox.docker("rmi", `${registry}/hyperion-ui:build`);
    const noImage = await publish(["--skip-build"]);
    expect(noImage.code).toBe(2);
    expect(noImage.output).toContain(`there is no local image ${registry}/hyperion-ui:build`);
  });
});

describe("create-public-registry.sh", () => {
  const script = (args: string[], input = ""): Promise<Outcome> =>
    sandbox.command(
      "scripts/create-public-registry.sh",
      ["--stack", "sandbox", "--wait", "5", ...args],
      {},
      { input },
    );
  const pull = (): Promise<Outcome> =>
    sandbox.anonymousDocker("pull", `${registry}/hyperion-http-bridge:latest`);

  test("changes nothing when the answer is no", async () => {
    const { code, output } = await script([], "n\n");
    expect(code).toBe(1);
    expect(output).toContain("The settings are as they were; nothing was changed.");
    expect(await setting("publicAccess")).toBe("false");
    expect((await pull()).code).not.toBe(0);
  });

  test("makes the registry public, and private again", async () => {
    const made = await script([], "y\n");
    expect(made.output).toContain("gcp:artifactregistry:RepositoryIamMember");
    expect(made.code).toBe(0);
    expect((await pull()).code).toBe(0);
    expect((await script(["--revert", "--yes"])).code).toBe(0);
    expect((await pull()).output).toMatch(/denied/);
  });

  test("stops at the organization policy and puts the settings back; lifts it when told to", async () => {
    expect((await sandbox.run("org-policy", "deny")).code).toBe(0);
    const blocked = await script(["--yes"]);
    expect(blocked.code).toBe(1);
    expect(blocked.output).toMatch(/If it is for the organization policy: .* --override-policy/);
    expect(await setting("publicAccess")).toBe("false");
    const lifted = await script(["--yes", "--override-policy"]);
    expect(lifted.output).toContain("orgpolicy");
    expect(lifted.code).toBe(0);
    expect((await pull()).code).toBe(0);
    expect((await script(["--revert", "--yes"])).code).toBe(0);
    expect((await pull()).output).toMatch(/denied/);
    expect((await sandbox.run("org-policy", "allow")).code).toBe(0);
  });

  test("M3: a revert fails while somebody else's binding lets everybody pull, and names the command", async () => {
    const repository = "v1/projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public";
    const setPolicy = async (change: (bindings: object[]) => object[]): Promise<void> => {
      const { bindings = [], ...rest } = (await sandbox.google("GET", `${repository}:getIamPolicy`)).body as {
        bindings?: object[];
      };
      const policy = { ...rest, bindings: change(bindings) };
      expect(await sandbox.google("POST", `${repository}:setIamPolicy`, { policy })).toMatchObject({
        status: 200,
      });
    };
    const everybody = { role: "roles/artifactregistry.reader", members: ["allUsers"] };
    const { bindings = [] } = (await sandbox.google("GET", `${repository}:getIamPolicy`)).body as {
      bindings?: object[];
    };
    await setPolicy((before) => [...before, everybody]);
    const { code, output } = await script(["--revert", "--yes"]);
    expect(output).toContain("The registry is public, though the settings do not say so: allUsers");
    expect(output).toContain("gcloud artifacts repositories remove-iam-policy-binding hyperion-public");
    expect(output).toContain("is not known to be closed");
    expect(code).toBe(1);
    expect(await sandbox.output("publicAccess")).toBe("true");
    expect((await sandbox.command("npm", ["run", "--silent", "report"])).output).toContain(
      "Public    yes: allUsers has roles/artifactregistry.reader",
    );
    await setPolicy(() => bindings);
    const reverted = await script(["--revert", "--yes"]);
    expect(reverted.output).toContain("A pull without a login is refused");
    expect(reverted.code).toBe(0);
    expect(await sandbox.output("publicAccess")).toBe("false");
  });

  test("makes the registry too where nothing is provisioned yet", async () => {
    await sandbox.pulumi("destroy", "--yes", "--skip-preview");
    expect((await script(["--yes"])).code).toBe(0);
    expect((await pull()).code).toBe(0);
    expect((await script(["--revert", "--yes"])).code).toBe(0);
  });
});

/** The commands of a workflow's step, on the sandbox's stacks instead of production's. */
async function step(file: string, job: string, matching: string): Promise<string> {
  const text = await readFile(join(repositoryRoot, ".github/workflows", file), "utf8");
  const { jobs } = parse(text) as { jobs: Record<string, { steps: { run?: string }[] }> };
  const found = jobs[job]?.steps.find((one) => one.run?.includes(matching))?.run;
  if (found === undefined) throw new Error(`${file} has no step with ${matching}`);
  return found
    .replaceAll("--stack production-images", "--stack images")
    .replaceAll("preview production-images", "preview images")
    .replaceAll("/production-images", "/images")
    .replaceAll("--stack production", "--stack sandbox")
    .replaceAll("preview production", "preview sandbox")
    .replaceAll("/production", "/sandbox");
}

describe("the commands of the workflows", () => {
  let files: NodeJS.ProcessEnv;
  let temporary: string;
  /** What the workflows run on. */
  let commit: string;
  /** State of the images' stack, as far from that of the registry's as two buckets are. */
  let ofImages: NodeJS.ProcessEnv;

  beforeAll(async () => {
    temporary = join(sandbox.root, "runner");
    const state = join(sandbox.root, "images-state");
    for (const folder of [temporary, state]) await mkdir(folder, { recursive: true });
    ofImages = { PULUMI_BACKEND_URL: `file://${state}` };
    commit = await git(...COMMIT, "-m", "tip");
    await git("init", "--quiet", "--bare", join(temporary, "remote"));
    files = {
      RUNNER_TEMP: temporary,
      GITHUB_REF: "refs/heads/main",
      GITHUB_SHA: commit,
      GITHUB_SERVER_URL: `file://${temporary}`,
      GITHUB_REPOSITORY: "remote",
      GITHUB_STEP_SUMMARY: join(temporary, "summary.md"),
      GITHUB_OUTPUT: join(temporary, "output"),
      REGISTRY_BACKEND_URL: String(sandbox.env["PULUMI_BACKEND_URL"]),
      IMAGES_BACKEND_URL: ofImages["PULUMI_BACKEND_URL"],
    };
    await onImages("stack", "init", "images", "--no-select");
    await onImages("config", "set", "--stack", "images", "gcp:project", "hyperion-sandbox");
    await onImages("config", "set", "--stack", "images", "gcp:region", "us-central1");
    await onImages("config", "set", "--stack", "images", "manageRegistry", "false");
    await onImages("config", "set", "--stack", "images", "sourceDir", await setting("sourceDir"));
    await sandbox.pulumi("config", "set", "publishImages", "false");
    await sandbox.pulumi("up", "--yes", "--skip-preview");
  });

  /** Of a commit without a parent: from a shallow clone no other can be pushed. */
  const COMMIT = ["-c", "user.name=n", "-c", "user.email=e@example.com", "commit-tree", "HEAD^{tree}"];

  async function git(...args: string[]): Promise<string> {
    const { code, stdout, output } = await sandbox.command("git", args);
    expect(code, output).toBe(0);
    return stdout.trim();
  }

  /** Lets main stand on a commit where the workflow asks for it. */
  const pushToMain = (pushed: string): Promise<string> =>
    git("push", "--quiet", "--force", join(temporary, "remote"), `${pushed}:refs/heads/main`);

  const tryOnImages = (...args: string[]): Promise<Outcome> => sandbox.command("pulumi", args, ofImages);

  async function onImages(...args: string[]): Promise<string> {
    const { code, stdout, output } = await tryOnImages(...args);
    expect(code, output).toBe(0);
    return stdout;
  }

  /** As GitHub runs a step with `shell: bash`. */
  const runStep = async (
    file: string,
    job: string,
    matching: string,
    variables: NodeJS.ProcessEnv = {},
  ): Promise<Outcome> =>
    sandbox.command(
      "bash",
      ["--noprofile", "--norc", "-eo", "pipefail", "-c", await step(file, job, matching)],
      { ...files, ...variables },
    );
  const publish = (matching: string): Promise<Outcome> =>
    runStep("publish.yml", "publish", matching, ofImages);
  const preview = async (): Promise<Outcome & { comment: string }> => {
    const outcome = await runStep("preview.yml", "preview", "ci/main.ts preview-comment");
    return { ...outcome, comment: await readFile(join(temporary, "comment.md"), "utf8") };
  };

  test("preview.yml tells what main would publish, with a build", async () => {
    const { code, comment, output } = await preview();
    expect(code, output).toBe(0);
    expect(comment).toContain("No infrastructure changes.");
    const tag = commit.slice(0, 7);
    expect(comment).toContain(`create docker:index/registryImage:RegistryImage hyperion-ui-${tag}`);
    expect(comment).toContain("create docker:index/registryImage:RegistryImage hyperion-ui-edge");
    expect(await digestOf("hyperion-ui", tag)).toBeUndefined();
  });

  test("publish.yml publishes a commit that main has left behind under that commit alone", async () => {
    await pushToMain(await git(...COMMIT, "-m", "newer"));
    // What a laptop left in the stack's file counts for nothing.
    await onImages("config", "set", "--stack", "images", "version", "9.9.9");
    await onImages("config", "set", "--stack", "images", "edge", "true");
    const published = await publish("publish-ref.sh");
    expect(published.code, published.output).toBe(0);
    expect(await digestOf("hyperion-ui", commit.slice(0, 7))).toBe(await digestOf("hyperion-ui", "build"));
    for (const tag of ["edge", "9.9.9"]) expect(await digestOf("hyperion-ui", tag)).toBeUndefined();
  });

  test("publish.yml publishes main under its commit, its day and edge, and waits for a held lock", async () => {
    await pushToMain(commit);
    const locks = join(sandbox.root, "images-state/.pulumi/locks/organization/hyperion-registry/images");
    const lock = join(locks, "6a0c4a1e-93a4-4b0a-8f0e-1f6d1c1f1a11.json");
    await mkdir(locks, { recursive: true });
    await writeFile(
      lock,
      JSON.stringify({ pid: 1, username: "u", hostname: "h", timestamp: "2026-01-01T00:00:00Z" }),
    );
    const gone = setTimeout(() => void rm(lock), 5_000);
    const published = await publish("publish-ref.sh");
    clearTimeout(gone);
    expect(published.output).toContain("Locked; trying again in 20 s");
    expect(published.code, published.output).toBe(0);

    expect((await publish("ci/main.ts release-summary")).code).toBe(0);
    const summary = await readFile(join(temporary, "summary.md"), "utf8");
    expect(summary).toContain(`| \`${registry}/hyperion-ui:edge\` | \`sha256:`);
    expect(await digestOf("hyperion-ui", "edge")).toBe(await digestOf("hyperion-ui", commit.slice(0, 7)));
  });

  test("publish.yml has nothing but images and tags in its state, and preview.yml tells the rest apart", async () => {
    await sandbox.pulumi("config", "set", "ciCanPublish", "true");
    const { deployment } = JSON.parse(await onImages("stack", "export", "--stack", "images")) as {
      deployment: { resources: { type: string }[] };
    };
    const types = new Set(deployment.resources.map(({ type }) => type));
    expect([...types].filter((type) => !type.startsWith("docker:")).sort()).toEqual([
      "hyperion:registry:PublishedImage",
      "pulumi:providers:docker",
      "pulumi:providers:gcp",
      // The engine's own, by which the stack reads its last outputs.
      "pulumi:providers:pulumi",
      "pulumi:pulumi:Stack",
    ]);
    const { code, comment } = await preview();
    expect(code).toBe(0);
    expect(comment).toContain(
      "create gcp:artifactregistry/repositoryIamMember:RepositoryIamMember ci-writer",
    );
    await sandbox.pulumi("config", "rm", "ciCanPublish");
  });

  test("preview.yml fails with a broken Dockerfile, and says at which step", async () => {
    const dockerfile = join(sandbox.sources, "coordinator/ui/Dockerfile");
    const good = await readFile(dockerfile, "utf8");
    await writeFile(dockerfile, `${good}\nRUN ["node", "-e", "console.log('no luck'); process.exit(7)"]\n`);
    const { code, comment } = await preview();
    await writeFile(dockerfile, good);
    expect(code).not.toBe(0);
    expect(comment).toContain("The preview of the images failed");
    expect(comment).toContain("exit code: 7");
    expect(comment).toContain("No infrastructure changes.");
  });

  test("preview.yml shows why the preview of the infrastructure failed, and fails", async () => {
    await sandbox.pulumi("config", "set", "vulnerabilityScanning", "never");
    const { code, comment } = await preview();
    expect(code).not.toBe(0);
    expect(comment).toContain("hyperion-registry:vulnerabilityScanning");
    await sandbox.pulumi("config", "rm", "vulnerabilityScanning");
  });

  test("a registry that is not there is one problem, with the command that makes it", async () => {
    await onImages("config", "set", "--stack", "images", "repositoryId", "other");
    const { code, output } = await tryOnImages("preview", "--stack", "images");
    await onImages("config", "rm", "--stack", "images", "repositoryId");
    expect(code).not.toBe(0);
    expect(output).toContain("1 problem; nothing was changed.");
    expect(output).toMatch(/found: {3}the repository cannot be read: \S+\/repositories\/other not found\n/);
    expect(output).toContain("fix:     pulumi up --stack production");
  });

  test("drift.yml finds what was changed by hand, and nothing else", async () => {
    const look = async (job: string, variables: NodeJS.ProcessEnv = {}): Promise<string> => {
      const { code, output } = await runStep("drift.yml", job, "ci/main.ts drift-report", variables);
      expect(code, output).toBe(0);
      return (await readFile(join(temporary, "report.md"), "utf8")).trim();
    };
    const report = async (): Promise<string> =>
      [await look("look"), await look("look-at-images", ofImages)].join("");
    const { stdout } = await sandbox.docker("images", "--quiet", "--filter", "reference=localhost*/*/*/*");
    await sandbox.docker("rmi", "--force", ...new Set(stdout.split("\n")));
    expect(await report()).toBe("");
    const repository = "v1/projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public";
    await sandbox.google("PATCH", `${repository}?updateMask=description`, { description: "changed by hand" });
    await sandbox.google("DELETE", `${PACKAGES}/hyperion-ui/tags/edge`);
    const drift = await report();
    expect(drift).toContain("update gcp:artifactregistry/repository:Repository registry (description)");
    expect(drift).toContain("delete docker:index/registryImage:RegistryImage hyperion-ui-edge");
  });
});
