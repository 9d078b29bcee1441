import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { google, published } from "../support/google.ts";
import { stdoutOf } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const sandbox = useSandbox();

describe("the images of the first up", () => {
  // compose.test.ts checks /health of each image, with the services that Compose provides.
  test("run: the user interface answers /health, the others report a missing setting", async () => {
    const run = (name: string, ...options: string[]) =>
      sandbox.docker("run", ...options, `${sandbox.registry}/${name}:latest`);
    for (const { name } of images.filter((image) => image.name !== "hyperion-ui")) {
      const { code, output } = await run(name, "--rm");
      expect([name, code]).toEqual([name, 1]);
      expect(output).toContain("MONGODB_URI environment variable is required");
    }
    const bridge = "hyperion-http-bridge:127.0.0.1";
    const id = stdoutOf(await run("hyperion-ui", "--detach", "--add-host", bridge));
    const health = async (): Promise<string> =>
      (await sandbox.docker("exec", id, "wget", "-q", "-O", "-", "http://127.0.0.1/health")).stdout.trim();
    await expect.poll(health, { timeout: 30_000 }).toBe("healthy");
    await sandbox.docker("rm", "--force", id);
  });

  test("are rebuilt once per platform after a source changes", async () => {
    const { "hyperion-ui": ui, ...others } = await published(sandbox);
    await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n// changed\n");
    expect(await sandbox.up()).toMatch(/^ +~ 2 updated$/m);
    const after = await published(sandbox);
    expect(after).toMatchObject(others);
    for (const tag of ["build", "latest"]) expect(after["hyperion-ui"]?.[tag]).not.toBe(ui?.[tag]);
    await sandbox.expectNoChanges();
  });
});

describe("production, with the settings of its files", () => {
  const project = "v1/projects/production-471918";
  const repositories = `${project}/locations/us-central1/repositories`;
  const repository = `${repositories}/hyperion-public`;
  const ON = ["--stack", "production"];

  test("adopts the existing repository in place, and protects it", async () => {
    await sandbox.pulumi("stack", "init", "production", "--no-select");
    await sandbox.set({ adoptExisting: "true" }, ...ON);
    await google(sandbox, "POST", `${project}/services/artifactregistry.googleapis.com:enable`, {});
    const byHand = { format: "DOCKER", description: "made by hand", labels: { team: "platform" } };
    await google(sandbox, "POST", `${repositories}?repositoryId=hyperion-public`, byHand);
    const { createTime } = (await google(sandbox, "GET", repository)) as { createTime: string };
    await sandbox.up(...ON);
    expect(await google(sandbox, "GET", repository)).toMatchObject({
      createTime,
      description: "Prebuilt container images of Hyperion (Pulumi stack hyperion-registry/production)",
      labels: { app: "hyperion" },
    });
    await sandbox.expectNoChanges(...ON);
    const { output } = await sandbox.tryPulumi("destroy", "--yes", ...ON);
    expect(output).toContain("cannot be deleted");
    expect(output).toContain("because it is protected");
  });

  test("gets its images from the stack of Pulumi.production-images.yaml", async () => {
    const onImages = ["--stack", "production-images"];
    await sandbox.pulumi("stack", "init", "production-images", "--no-select");
    const sources = await sandbox.pulumi("config", "get", "sourceDir", "--stack", "sandbox");
    await sandbox.set({ sourceDir: sources.trim() }, ...onImages);
    await sandbox.up(...onImages);
    await google(sandbox, "GET", `${repository}/packages/hyperion-ui/tags/latest`);
    for (const stack of [ON, onImages]) await sandbox.expectNoChanges(...stack);
  });
});
