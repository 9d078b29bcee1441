import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { withBuildStep } from "../support/build-step.ts";
import { bindings, changeBindings, digestOf, grant, published, removeTags } from "../support/google.ts";
import { passed } from "../support/outcome.ts";
import type { Outcome } from "../support/sandbox.ts";
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
      // The logs of a failed run stay.
      { TMPDIR: sandbox.scratch, ...extra },
    );
  const WITHOUT_GOOGLE = { GOOGLE_OAUTH_ACCESS_TOKEN: undefined };
  const WARNING =
    "The tags were set without a Google login. This is only safe if no other run published at the same time.";

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
    expect(output).toContain(`already published as ${before["hyperion-ui"]?.["3.1.4"] ?? ""}; this build is`);
    expect(output).toContain("scripts/build-and-push-images.sh --version 3.1.5 ");
    expect(await published(sandbox, (tag) => !/^build-a.*64$/.test(tag))).toEqual(before);
  });

  test("pushes local images without a build, and reports which", async () => {
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
    expect(output).toContain(`1 of ${images.length} images failed; no tag was set.`);
    for (const { name } of images) expect(await digest(name, "3.2.0")).toBeUndefined();
  });

  test("is refused by the registry without the role of a writer", async () => {
    const { code, output } = await publish(["--revision", "def456a0".repeat(5), "--only", "hyperion-ui"], {
      HYPERION_SANDBOX_PRINCIPAL: "user:dana@example.com",
    });
    expect(code).toBe(1);
    expect(output).toMatch(/hyperion-ui: push failed: .*denied/);
    expect(await ui("def456a")).toBeUndefined();
  });

  test("stops at the start without a login or a local image to push", async () => {
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

  beforeAll(async () => {
    // The images stay in the registry.
    await sandbox.set({ publishImages: "false" });
    await sandbox.up();
  });

  test("stops at the organization policy and restores the settings; lifts it with --override-policy, and reverts both", async () => {
    passed(await sandbox.run("org-policy", "deny"));
    const blocked = await script(["--yes"]);
    expect(blocked.code).toBe(1);
    expect(blocked.output).toMatch(/If the organization policy is the reason: .* --override-policy/);
    expect(await setting("publicAccess")).toBe("false");
    const asked = passed(await script(["--override-policy"], "y\n"));
    expect(asked).toContain("orgpolicy");
    expect(asked).toContain("gcp:artifactregistry:RepositoryIamMember");
    passed(await pull());
    expect(passed(await script(["--revert", "--yes"]))).toContain("A pull without a login is refused");
    expect((await pull()).output).toMatch(/denied/);
    expect(await sandbox.output("publicAccess")).toBe("false");
    passed(await sandbox.run("org-policy", "allow"));
  });

  test("fails a revert while another binding lets anyone pull", async () => {
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
    expect(
      (await sandbox.command("npm", ["run", "--silent", "report", "--", "--stack", "sandbox"])).output,
    ).toContain("Public    yes: allUsers has roles/artifactregistry.reader");
    await changeBindings(sandbox, () => before);
  });

  test("creates the registry if nothing is provisioned yet", async () => {
    await sandbox.pulumi("destroy", "--yes", "--skip-preview");
    expect(passed(await script(["--yes"]))).toContain("A pull without a login succeeds");
    expect((await bindings(sandbox)).flatMap(({ members }) => members)).toContain("allUsers");
  });
});
