import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { bindings, google, grant, REPOSITORY } from "../support/google.ts";
import { failed, passed, stdoutOf } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const REFUSED =
  'denied: Permission "artifactregistry.repositories.downloadArtifacts" denied on resource "projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public" (or it may not exist)';

const sandbox = useSandbox();
let registry: string;

beforeAll(async () => {
  registry = await sandbox.output("registryUrl");
});

/** What an `up` did, by operation: its summary's counts. (`--json` would print the docker plugin's login.) */
async function up(): Promise<Record<string, number>> {
  const output = await sandbox.up();
  const [, resources = ""] = output.split("\nResources:\n");
  const counts = [...resources.matchAll(/^ +(?:\S+ )?(\d+) (\w+)$/gm)];
  return Object.fromEntries(
    counts.map(([, count, change = ""]): [string, number] => [change, Number(count)]),
  );
}

/** Digests of the images that the registry lists, by name and tag. */
async function listed(): Promise<Record<string, string>> {
  const { body } = await sandbox.google("GET", `${REPOSITORY}/dockerImages`);
  const { dockerImages } = body as { dockerImages: { uri: string; tags?: string[] }[] };
  return Object.fromEntries(
    dockerImages.flatMap(({ uri, tags = [] }) => {
      const [name = "", digest = ""] = uri.replace(/^.*\//, "").split("@");
      return tags.map((tag) => [`${name}:${tag}`, digest]);
    }),
  );
}

describe("the whole life of the registry", () => {
  test("the first up leaves three images in the registry, each tag on the build's digest", async () => {
    const tags = await listed();
    expect(Object.keys(tags).sort()).toEqual(
      images.flatMap(({ name }) => [`${name}:build`, `${name}:latest`]).sort(),
    );
    for (const { name } of images) expect(tags[`${name}:latest`]).toBe(tags[`${name}:build`]);
  });

  test("a second up changes nothing, and no tracked file either", async () => {
    await sandbox.expectNoChanges();
    const files = ["Pulumi.yaml", "Pulumi.sandbox.yaml"];
    const { stdout } = await sandbox.command("git", ["status", "--porcelain", "--", ...files]);
    expect(stdout).toBe("");
  });

  // With the services that compose gives them, each answers /health in compose.test.ts.
  test("each image runs: the user interface answers /health, the others say what they need", async () => {
    const run = (name: string, ...options: string[]) =>
      sandbox.docker("run", ...options, `${registry}/${name}:latest`);
    for (const { name } of images.filter((image) => image.name !== "hyperion-ui")) {
      const { code, output } = await run(name, "--rm");
      expect([name, code]).toEqual([name, 1]);
      expect(output).toContain("MONGODB_URI environment variable is required");
    }
    const bridge = "hyperion-http-bridge:127.0.0.1";
    const id = stdoutOf(await run("hyperion-ui", "--detach", "--add-host", bridge));
    const ask = 'fetch("http://127.0.0.1/health").then((it) => it.text()).then(console.log)';
    const health = async (): Promise<string> =>
      (await sandbox.docker("exec", id, "node", "-e", ask)).stdout.trim();
    await expect.poll(health, { timeout: 30_000 }).toBe("healthy");
    await sandbox.docker("rm", "--force", id);
  });

  test("one changed source is one build", async () => {
    const before = await listed();
    await appendFile(join(sandbox.sources, "coordinator/ui/server.js"), "\n// changed\n");
    expect((await up())["updated"]).toBe(1);
    const after = await listed();
    const moved = Object.keys(after).filter((tag) => after[tag] !== before[tag]);
    expect(moved.sort()).toEqual(["hyperion-ui:build", "hyperion-ui:latest"]);
    await sandbox.expectNoChanges();
  });

  test("A1, A2: everybody may pull while access is public, and nobody before or after", async () => {
    const pull = () => sandbox.anonymousDocker("pull", `${registry}/hyperion-ui:latest`);
    expect((await pull()).output).toContain(REFUSED);
    await sandbox.set({ publicAccess: "true" });
    expect(await up()).toMatchObject({ created: 2 });
    passed(await pull());
    await sandbox.unset("publicAccess");
    expect(await up()).toMatchObject({ deleted: 2 });
    expect((await pull()).output).toContain(REFUSED);
  });

  test("A10: what others granted stays", async () => {
    await grant(sandbox, "roles/artifactregistry.reader", "user:eve@example.com");
    const members = async () => (await bindings(sandbox)).flatMap((binding) => binding.members);
    await sandbox.set({ "readers[0]": "user:dana@example.com" });
    await up();
    expect(await members()).toEqual(
      expect.arrayContaining(["user:eve@example.com", "user:dana@example.com"]),
    );
    await sandbox.unset("readers");
    await up();
    expect(await members()).toContain("user:eve@example.com");
    expect(await members()).not.toContain("user:dana@example.com");
  });

  test("a repository deleted behind the stack's back comes back after a refresh", async () => {
    await sandbox.set({ publishImages: "false" });
    await up();
    await google(sandbox, "DELETE", REPOSITORY);
    await sandbox.pulumi("refresh", "--yes");
    await sandbox.up();
    await google(sandbox, "GET", REPOSITORY);
    await sandbox.unset("publishImages");
    await up();
    await sandbox.expectNoChanges();
  });

  test("the state holds no credential", async () => {
    const state = await sandbox.pulumi("stack", "export", "--show-secrets");
    expect(state).not.toContain(sandbox.env["GOOGLE_OAUTH_ACCESS_TOKEN"]);
    expect(state).not.toContain("oauth2accesstoken");
    expect(state).not.toContain(await readFile(join(sandbox.root, "keys/passphrase"), "utf8"));
  });
});

describe("production, with the settings of its own files", () => {
  const project = "v1/projects/production-471918";
  const repositories = `${project}/locations/us-central1/repositories`;
  const repository = `${repositories}/hyperion-public`;
  const ON = ["--stack", "production"];

  test("adopts the repository that exists, in place, and is protected", async () => {
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

  test("has its images from the stack of Pulumi.production-images.yaml", async () => {
    const onImages = ["--stack", "production-images"];
    await sandbox.pulumi("stack", "init", "production-images", "--no-select");
    const sources = await sandbox.pulumi("config", "get", "sourceDir", "--stack", "sandbox");
    await sandbox.set({ sourceDir: sources.trim() }, ...onImages);
    await sandbox.up(...onImages);
    await google(sandbox, "GET", `${repository}/packages/hyperion-ui/tags/latest`);
    for (const stack of [ON, onImages]) await sandbox.expectNoChanges(...stack);
  });
});

test("destroy and up again, and a setting that is wrong changes nothing", async () => {
  await sandbox.pulumi("destroy", "--yes", "--stack", "sandbox");
  await sandbox.set({ repositoryId: "Wrong Name" }, "--stack", "sandbox");
  const output = failed(await sandbox.tryUp("--stack", "sandbox"));
  expect(output).toContain('found:   "Wrong Name"');
  expect(output).not.toMatch(/at \S+ \(.*:\d+:\d+\)/);
  await sandbox.unset("repositoryId", "--stack", "sandbox");
  await sandbox.up("--stack", "sandbox");
});
