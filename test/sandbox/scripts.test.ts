import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import images from "../../images.json" with { type: "json" };
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { withBuildStep } from "../support/build-step.ts";
import {
  bindings,
  changeBindings,
  digestOf,
  google,
  grant,
  published,
  removeTags,
  REPOSITORY,
} from "../support/google.ts";
import { initImagesStack } from "../support/images-stack.ts";
import { failed, passed, stdoutOf } from "../support/outcome.ts";
import type { Outcome, Sandbox } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const sandbox = useSandbox();

const digest = (image: string, tag: string) => digestOf(sandbox, image, tag);
const ui = (tag: string) => digest("hyperion-ui", tag);

const setting = async (name: string): Promise<string> => {
  const { code, stdout } = await sandbox.tryPulumi("config", "get", name);
  return code === 0 ? stdout.trim() : "";
};

describe("build-and-push-images.sh", () => {
  const publish = (args: string[], extra: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
    sandbox.command(
      "scripts/build-and-push-images.sh",
      ["--stack", "sandbox", "--registry", sandbox.registry, "--source", sandbox.sources, ...args],
      extra,
    );
  const WITHOUT_GOOGLE = { GOOGLE_OAUTH_ACCESS_TOKEN: undefined };
  const WARNING =
    "The tags were set without a Google login: no other run may have published at the same time.";

  test("publishes every image under every tag of a version without a Google login, and warns", async () => {
    const output = passed(await publish(["--version", "3.1.4"], WITHOUT_GOOGLE));
    expect(output).toMatch(/^hyperion-ui +pushed +\d+$/m);
    expect(output).toMatch(/^hyperion-ui: 3\.1\.4, v3\.1\.4, 3\.1, 3 -> sha256:[0-9a-f]{12}/m);
    expect(output).toContain(WARNING);
    for (const { name } of images) {
      const version = await digest(name, "3.1.4");
      expect(version).toMatch(/^sha256:/);
      for (const tag of ["v3.1.4", "3.1", "3", "latest", "build", "build-3.1.4"])
        expect(await digest(name, tag)).toBe(version);
      for (const platform of ["build-amd64", "build-arm64"])
        expect(await digest(name, `${platform}-3.1.4`)).toBe(await digest(name, platform));
    }
  });

  test("is safe to run again, and sets tags as the stack does with a Google login", async () => {
    await removeTags(sandbox, "hyperion-ui", "3.1");
    const before = await ui("3.1.4");
    const output = passed(await publish(["--version", "3.1.4"]));
    expect(output.match(/^hyperion-.*->.*$/gm)).toEqual([
      `hyperion-ui: 3.1 -> ${before?.slice(0, 19) ?? ""}`,
    ]);
    expect(output).not.toContain(WARNING);
    expect([await ui("3.1.4"), await ui("3.1")]).toEqual([before, before]);
  });

  test.each([
    ["with a Google login", {}],
    ["without one", WITHOUT_GOOGLE],
  ])("refuses to move a version, %s, and sets no tag", async (_, login) => {
    await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n// another build\n");
    const before = await published(sandbox, (tag) => !/^build-a.*64$/.test(tag));
    const { code, output } = await publish(["--version", "3.1.4"], login);
    expect(code).toBe(1);
    expect(output).toContain(`published already as ${before["hyperion-ui"]?.["3.1.4"] ?? ""}; this build is`);
    expect(output).toContain("scripts/build-and-push-images.sh --version 3.1.5 ");
    expect(await published(sandbox, (tag) => !/^build-a.*64$/.test(tag))).toEqual(before);
  });

  test("pushes local images as they are, and says which", async () => {
    const before = await ui("3.1.4");
    const output = passed(await publish(["--version", "3.1.5", "--skip-build"]));
    expect(output).toMatch(
      /^hyperion-ui: pushing \S+:build-arm64, sha256:[0-9a-f]{64}, made on 20\d\d-\d\d-\d\d \d\d:\d\d UTC$/m,
    );
    expect(await ui("3.1.5")).not.toBe(before);
    expect(await ui("3.1")).toBe(await ui("3.1.5"));
  });

  test("reports the failing step of a build, and sets no tag", async () => {
    const dockerfile = join(sandbox.sources, "coordinator/ui/Dockerfile");
    const good = await readFile(dockerfile, "utf8");
    await writeFile(dockerfile, withBuildStep(good, "RUN echo no such luck && exit 7"));
    const { code, output } = await publish(["--version", "3.2.0"]);
    await writeFile(dockerfile, good);
    expect(code).toBe(1);
    expect(output).toMatch(/^hyperion-ui +build failed/m);
    expect(output).toContain("no such luck");
    expect(output).toContain("1 of 3 images failed; no tag was set.");
    for (const { name } of images) expect(await digest(name, "3.2.0")).toBeUndefined();
  });

  test("is refused at the registry without the role of a writer", async () => {
    const { code, output } = await publish(["--revision", "def456a0".repeat(5), "--only", "hyperion-ui"], {
      HYPERION_SANDBOX_PRINCIPAL: "user:dana@example.com",
    });
    expect(code).toBe(1);
    expect(output).toMatch(/hyperion-ui: push failed: .*denied/);
    expect(await ui("def456a")).toBeUndefined();
  });

  test("begins nothing without a login or a local image to push", async () => {
    const noLogin = await publish([], { DOCKER_CONFIG: join(sandbox.root, "no-login") });
    expect(noLogin.code).toBe(2);
    expect(noLogin.output).toContain(`not logged in at ${sandbox.registry.replace(/\/.*/, "")}`);
    await sandbox.docker("rmi", `${sandbox.registry}/hyperion-ui:build-arm64`);
    const noImage = await publish(["--skip-build"]);
    expect(noImage.code).toBe(2);
    expect(noImage.output).toContain(`there is no local image ${sandbox.registry}/hyperion-ui:build-arm64`);
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
    sandbox.anonymousDocker("pull", `${sandbox.registry}/hyperion-http-bridge:latest`);

  test("makes the registry public, and private again", async () => {
    expect(passed(await script([], "y\n"))).toContain("gcp:artifactregistry:RepositoryIamMember");
    passed(await pull());
    passed(await script(["--revert", "--yes"]));
    expect((await pull()).output).toMatch(/denied/);
  });

  test("stops at the organization policy and puts the settings back; lifts it when told to", async () => {
    passed(await sandbox.run("org-policy", "deny"));
    const blocked = await script(["--yes"]);
    expect(blocked.code).toBe(1);
    expect(blocked.output).toMatch(/If it is for the organization policy: .* --override-policy/);
    expect(await setting("publicAccess")).toBe("false");
    expect(passed(await script(["--yes", "--override-policy"]))).toContain("orgpolicy");
    passed(await pull());
    passed(await script(["--revert", "--yes"]));
    expect((await pull()).output).toMatch(/denied/);
    passed(await sandbox.run("org-policy", "allow"));
  });

  test("M3: a revert fails while somebody else's binding lets everybody pull, and names the command", async () => {
    const before = await bindings(sandbox);
    await grant(sandbox, "roles/artifactregistry.reader", "allUsers");
    const { code, output } = await script(["--revert", "--yes"]);
    expect(output).toContain("The registry is public, though the settings do not say so: allUsers");
    expect(output).toContain("gcloud artifacts repositories remove-iam-policy-binding hyperion-public");
    expect(output).toMatch(
      /^still public: run it again: .*\/create-public-registry\.sh --stack sandbox --revert\n?$/m,
    );
    expect(code).toBe(1);
    expect(await sandbox.output("publicAccess")).toBe("true");
    expect((await sandbox.command("npm", ["run", "--silent", "report"])).output).toContain(
      "Public    yes: allUsers has roles/artifactregistry.reader",
    );
    await changeBindings(sandbox, () => before);
    expect(passed(await script(["--revert", "--yes"]))).toContain("A pull without a login is refused");
    expect(await sandbox.output("publicAccess")).toBe("false");
  });

  test("makes the registry too where nothing is provisioned yet", async () => {
    await sandbox.pulumi("destroy", "--yes", "--skip-preview");
    passed(await script(["--yes"]));
    passed(await pull());
    passed(await script(["--revert", "--yes"]));
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
  let onImages: Sandbox;

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
    onImages = sandbox.with(ofImages);
    await initImagesStack(onImages);
    await sandbox.set({ publishImages: "false" });
    await sandbox.up();
  });

  /** Of a commit without a parent: from a shallow clone no other can be pushed. */
  const COMMIT = ["-c", "user.name=n", "-c", "user.email=e@example.com", "commit-tree", "HEAD^{tree}"];

  async function git(...args: string[]): Promise<string> {
    return stdoutOf(await sandbox.command("git", args));
  }

  /** Lets main stand on a commit where the workflow asks for it. */
  const pushToMain = (pushed: string): Promise<string> =>
    git("push", "--quiet", "--force", join(temporary, "remote"), `${pushed}:refs/heads/main`);

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
    const { comment, ...outcome } = await preview();
    passed(outcome);
    expect(comment).toContain("No infrastructure changes.");
    const tag = commit.slice(0, 7);
    expect(comment).toContain(`create docker:index/registryImage:RegistryImage hyperion-ui-${tag}`);
    expect(comment).toContain("create docker:index/registryImage:RegistryImage hyperion-ui-edge");
    expect(await ui(tag)).toBeUndefined();
  });

  test("publish.yml publishes a commit that main has left behind under that commit alone", async () => {
    await pushToMain(await git(...COMMIT, "-m", "newer"));
    // What a laptop left in the stack's file counts for nothing.
    await onImages.set({ version: "9.9.9", edge: "true" }, "--stack", "images");
    passed(await publish("publish-ref.sh"));
    expect(await ui(commit.slice(0, 7))).toBe(await ui("build"));
    for (const tag of ["edge", "9.9.9"]) expect(await ui(tag)).toBeUndefined();
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
    const output = passed(await publish("publish-ref.sh"));
    clearTimeout(gone);
    expect(output).toContain("Locked; trying again in 20 s");

    passed(await publish("ci/main.ts release-summary"));
    const summary = await readFile(join(temporary, "summary.md"), "utf8");
    expect(summary).toContain(`| \`${sandbox.registry}/hyperion-ui:edge\` | \`sha256:`);
    expect(await ui("edge")).toBe(await ui(commit.slice(0, 7)));
  });

  test("publish.yml has nothing but images and tags in its state, and preview.yml tells the rest apart", async () => {
    await sandbox.set({ ciCanPublish: "true" });
    const { deployment } = JSON.parse(await onImages.pulumi("stack", "export", "--stack", "images")) as {
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
    await sandbox.unset("ciCanPublish");
  });

  test("preview.yml fails with a broken Dockerfile, and says at which step", async () => {
    const dockerfile = join(sandbox.sources, "coordinator/ui/Dockerfile");
    const good = await readFile(dockerfile, "utf8");
    await writeFile(dockerfile, `${good}\nRUN echo no luck && exit 7\n`);
    const { code, comment } = await preview();
    await writeFile(dockerfile, good);
    expect(code).not.toBe(0);
    expect(comment).toContain("The preview of the images failed");
    expect(comment).toContain("exit code: 7");
    expect(comment).toContain("No infrastructure changes.");
  });

  test("preview.yml shows why the preview of the infrastructure failed, and fails", async () => {
    await sandbox.set({ vulnerabilityScanning: "never" });
    const { code, comment } = await preview();
    expect(code).not.toBe(0);
    expect(comment).toContain("hyperion-registry:vulnerabilityScanning");
    await sandbox.unset("vulnerabilityScanning");
  });

  test("a registry that is not there is one problem, with the command that makes it", async () => {
    await onImages.set({ repositoryId: "other" }, "--stack", "images");
    const output = failed(await onImages.tryPulumi("preview", "--stack", "images"));
    await onImages.unset("repositoryId", "--stack", "images");
    expect(output).toContain("1 problem; nothing was changed.");
    expect(output).toMatch(/found: {3}the repository cannot be read: \S+\/repositories\/other not found\n/);
    expect(output).toContain("fix:     pulumi up --stack production");
  });

  test("drift.yml finds what was changed by hand, and nothing else", async () => {
    const look = async (job: string, variables: NodeJS.ProcessEnv = {}): Promise<string> => {
      passed(await runStep("drift.yml", job, "ci/main.ts drift-report", variables));
      return (await readFile(join(temporary, "report.md"), "utf8")).trim();
    };
    const report = async (): Promise<string> =>
      [await look("look"), await look("look-at-images", ofImages)].join("");
    const { stdout } = await sandbox.docker("images", "--quiet", "--filter", "reference=localhost*/*/*/*");
    await sandbox.docker("rmi", "--force", ...new Set(stdout.split("\n")));
    expect(await report()).toBe("");
    await google(sandbox, "PATCH", `${REPOSITORY}?updateMask=description`, {
      description: "changed by hand",
    });
    await removeTags(sandbox, "hyperion-ui", "edge");
    const drift = await report();
    expect(drift).toContain("update gcp:artifactregistry/repository:Repository registry (description)");
    expect(drift).toContain("delete docker:index/registryImage:RegistryImage hyperion-ui-edge");
  });
});
