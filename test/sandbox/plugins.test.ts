import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeGoogle, failure } from "../../sandbox/providers/testing/fake-google.ts";
import type { GoogleSettings, Settings } from "./plugins/program/settings.ts";
import { comparable, pluginRecords, resourceOf } from "./plugins/records.ts";
import { failed, passed } from "../support/outcome.ts";
import { type ProviderContext, startProviderContext, type StateResource } from "./plugins/context.ts";

const parent = "projects/production-471918";
const repository = `${parent}/locations/us-central1/repositories/hyperion-public`;
const account = `${parent}/serviceAccounts/hyperion-ci@production-471918.iam.gserviceaccount.com`;
const pool = `${parent}/locations/global/workloadIdentityPools/github`;
const policy = `${parent}/policies/iam.allowedPolicyMemberDomains`;
const repositoryType = "gcp:artifactregistry/repository:Repository";

let context: ProviderContext;

beforeAll(async () => {
  context = await startProviderContext();
});

afterAll(async () => {
  await context.stop();
});

async function newStack(name: string): Promise<void> {
  await context.succeed("stack", "init", name);
  await context.succeed("config", "set", "gcp:project", "production-471918");
  await context.succeed("config", "set", "gcp:region", "us-central1");
}

/** Runs `pulumi up` with these settings; returns its output. */
async function up(settings: Settings): Promise<string> {
  await context.settings(settings);
  return context.succeed("up", "--yes", "--skip-preview");
}

/** Reads a resource from Google. */
const read = async (name: string) => (await context.google("GET", `v1/${name}`)).body;

/** Runs a preview with these settings, which has to fail; returns its output. */
async function refused(settings: Settings, variables?: NodeJS.ProcessEnv): Promise<string> {
  await context.settings(settings);
  return failed(await context.pulumi(["preview"], variables));
}

async function expectNoChange(settings: Settings): Promise<void> {
  await context.settings(settings);
  await context.succeed("preview", "--expect-no-changes");
}

/** The settings of the recorded program. */
const google: GoogleSettings = {
  description: "Hyperion images",
  labels: { app: "hyperion" },
  public: true,
};

/** Defines tests that apply the real plugin's inputs and compare what is recorded. */
function testRecords(plugin: string, given: () => Settings): void {
  let state: StateResource[];

  it("applies the inputs of the real plugin", async () => {
    await up(given());
    state = await context.state();
  });

  const records = [...pluginRecords()].filter(([type]) => type.startsWith(`${plugin}:`));
  it.each(records.flatMap(([type, list]) => list.map((record) => ({ type, ...record }))))(
    "records the same as the real plugin for $type $name",
    ({ type, ...record }) => {
      expect(comparable(resourceOf(state, type, record.name))).toEqual(comparable(record));
    },
  );
}

describe("the fake gcp provider", () => {
  beforeAll(() => newStack("google"));

  // As in the record, although it leaves a permanent difference (see below).
  testRecords("gcp", () => ({ google: { ...google, dockerConfig: { immutableTags: false } } }));

  it("keeps showing a dockerConfig that is not stored", async () => {
    expect(failed(await context.pulumi(["preview", "--expect-no-changes"]))).toContain(
      "[diff: +dockerConfig]",
    );
  });

  it("then finds nothing to change", async () => {
    await expectNoChange({ google });
    await up({ google });
  });

  it("refreshes without a change", () => context.succeed("refresh", "--yes", "--expect-no-changes"));

  const changed: GoogleSettings = {
    ...google,
    description: "Other images",
    labels: { team: "core" },
    keepCount: 12,
    dryRun: true,
    scanning: "DISABLED",
    accountName: "CI",
    poolName: "Actions",
    mapping: { "attribute.ref": "assertion.ref" },
    condition: "assertion.repository_id=='42'",
    audiences: ["https://example.com"],
    rule: { values: { allowedValues: ["C0abc1234"] } },
    public: false,
  };

  it("updates in place", async () => {
    const output = await up({ google: changed });
    expect(output).toMatch(/~ 5 updated/);
    expect(output).not.toMatch(/replaced|created/);
    const body = await read(repository);
    expect(body).toMatchObject({
      description: "Other images",
      labels: { team: "core", "goog-pulumi-provisioned": "true" },
      cleanupPolicyDryRun: true,
      cleanupPolicies: { "keep-recent": { mostRecentVersions: { keepCount: 12 } } },
    });
    expect(body["labels"]).not.toHaveProperty("app");
    expect(await read(account)).toMatchObject({ displayName: "CI" });
    expect(await read(pool)).toMatchObject({ displayName: "Actions" });
    expect(await read(`${pool}/providers/github`)).toMatchObject({
      attributeCondition: "assertion.repository_id=='42'",
      attributeMapping: { "attribute.ref": "assertion.ref" },
      oidc: { allowedAudiences: ["https://example.com"] },
    });
    expect((await context.google("GET", `v2/${policy}`)).body).toMatchObject({
      spec: { rules: [{ values: { allowedValues: ["C0abc1234"] } }] },
    });
    await expectNoChange({ google: changed });
  });

  it("clears properties that the program no longer sets", async () => {
    const { description, labels, ...rest } = changed;
    expect([description, labels]).not.toContain(undefined);
    await up({ google: rest });
    const body = await read(repository);
    expect(body["description"] ?? "").toBe("");
    expect(body["labels"]).toEqual({ "goog-pulumi-provisioned": "true" });
    await expectNoChange({ google: rest });
    await up({ google });
  });

  it("finds changes from outside, and reverts them", async () => {
    const mask = "updateMask=description,labels";
    await context.google("PATCH", `v1/${repository}?${mask}`, {
      description: "Mine",
      labels: { other: "x" },
    });
    await context.google("PATCH", `v1/${pool}?updateMask=displayName`, { displayName: "Mine" });
    const { body: current } = await context.google("GET", `v1/${repository}:getIamPolicy`);
    const others = [{ role: "roles/artifactregistry.admin", members: ["user:dana@example.com"] }];
    await context.google("POST", `v1/${repository}:setIamPolicy`, {
      policy: { ...current, bindings: others },
    });

    const refreshed = await context.succeed("refresh", "--yes");
    expect(refreshed).toMatch(/RepositoryIamMember public *deleted/);
    expect(resourceOf(await context.state(), repositoryType, "registry").outputs).toMatchObject({
      description: "Mine",
      labels: {},
    });

    const fixed = await up({ google });
    expect(fixed).toMatch(/\+ 2 created/);
    expect(fixed).toMatch(/~ 2 updated/);
    const body = await read(repository);
    // A label from outside stays; the provider's label returns.
    expect(body).toMatchObject({
      description: "Hyperion images",
      labels: { app: "hyperion", "goog-pulumi-provisioned": "true", other: "x" },
    });
    const { body: iam } = await context.google("GET", `v1/${repository}:getIamPolicy`);
    expect(iam["bindings"]).toContainEqual(others[0]);
    await expectNoChange({ google });
  });

  it("recreates a resource that was deleted outside", async () => {
    await context.google("DELETE", `v1/${account}`);
    await context.succeed("refresh", "--yes");
    await up({ google });
    expect((await context.google("GET", `v1/${account}`)).status).toBe(200);
    await expectNoChange({ google });
  });

  it("replaces a resource that cannot be changed in place", async () => {
    await context.settings({ google: { ...google, role: "roles/artifactregistry.writer" } });
    const output = await context.succeed("preview", "--diff");
    expect(output).toMatch(/\+-gcp:artifactregistry\/repositoryIamMember:RepositoryIamMember: \(replace\)/);
  });

  it("keeps the token out of the state", async () => {
    await up({ google, clientConfig: true });
    const text = await context.exported("--show-secrets");
    const token = context.environment["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";
    expect(text).toContain(`"tokenLength": ${token.length}`);
    expect(text).not.toContain(token);
  });

  describe("imports", () => {
    const imports = {
      "service artifactregistry": "production-471918/artifactregistry.googleapis.com",
      "service iam": "production-471918/iam.googleapis.com",
      "service orgpolicy": "production-471918/orgpolicy.googleapis.com",
      registry: repository,
      p: policy,
      ci: account,
      pool,
      provider: `${pool}/providers/github`,
    };

    it("existing resources and changes them in the same run", async () => {
      await newStack("importing");
      const other = { ...google, description: "Adopted", keepCount: 3, poolName: "Adopted" };
      const output = await up({ google: other, import: imports });
      expect(output).toMatch(/= 8 imported/);
      expect(output).not.toMatch(/replaced|deleted/);
      const body = await read(repository);
      expect(body).toMatchObject({
        description: "Adopted",
        cleanupPolicies: { "keep-recent": { mostRecentVersions: { keepCount: 3 } } },
      });
      expect(await read(pool)).toMatchObject({ displayName: "Adopted" });
      await expectNoChange({ google: other, import: imports });
      await expectNoChange({ google: other });
      await context.succeed("refresh", "--yes", "--expect-no-changes");
    });
  });

  it("adopts an account with createIgnoreAlreadyExists", async () => {
    await context.succeed("stack", "rm", "--yes", "--force", "importing");
    await context.succeed("stack", "select", "google");
    const { urn } = resourceOf(await context.state(), "gcp:serviceaccount/account:Account", "ci");
    await context.succeed("state", "delete", "--yes", "--target-dependents", urn);
    await up({ google: { ...google, adopt: true } });
    await expectNoChange({ google: { ...google, adopt: true } });
  });

  it("destroys only its own resources", async () => {
    await context.succeed("destroy", "--yes", "--skip-preview");
    expect((await context.google("GET", `v1/${repository}`)).status).toBe(404);
    expect((await context.google("GET", `v1/${account}`)).status).toBe(404);
    expect(await read(pool)).toMatchObject({ state: "DELETED" });
    expect((await context.google("GET", `v2/${policy}`)).status).toBe(404);
    expect(await context.state()).toHaveLength(0);
  });
});

describe("a repository that was created, but could not be read back", () => {
  let fake: FakeGoogle;
  let readable = false;

  beforeAll(async () => {
    await newStack("half");
    fake = await FakeGoogle.start(({ method }) => {
      if (method === "POST") return { body: { done: true } };
      return readable ? { body: { name: repository, format: "DOCKER" } } : failure(403, "Permission denied");
    });
  });
  afterAll(() => fake.stop());

  const runUp = (): ReturnType<ProviderContext["pulumi"]> =>
    context.pulumi(["up", "--yes", "--skip-preview"], {
      GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT: `${fake.origin}/v1/`,
    });

  it("stays in the state, and is not created twice", async () => {
    const args = { repositoryId: "hyperion-public", format: "DOCKER" };
    await context.settings({ raw: [{ type: repositoryType, name: "registry", args }] });
    const first = failed(await runUp());
    expect(first).toContain("Error creating Repository: googleapi: Error 403: Permission denied");
    expect(resourceOf(await context.state(), repositoryType, "registry").id).toBe(repository);

    readable = true;
    passed(await runUp());
    expect(fake.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
    await context.succeed("stack", "rm", "--yes", "--force", "half");
  });
});

describe("the fake docker provider", () => {
  let names: { registry: string };

  beforeAll(async () => {
    await newStack("docker");
    names = { registry: context.registry };
    await context.google("POST", `v1/${parent}/services/artifactregistry.googleapis.com:enable`, {});
    const repositories = repository.slice(0, repository.lastIndexOf("/"));
    const made = { format: "DOCKER" };
    await context.google("POST", `v1/${repositories}?repository_id=hyperion-public`, made);
  });

  const recorded = (): Settings => ({
    images: {
      ...names,
      names: { a: {}, c: {}, b: { args: { N: "b" } } },
    },
  });

  testRecords("docker", recorded);

  it("then finds nothing to change", () => expectNoChange(recorded()));

  it("refreshes without a change", () => context.succeed("refresh", "--yes", "--expect-no-changes"));

  it("builds only what changed", async () => {
    const settings = recorded();
    if (settings.images?.names["b"]) settings.images.names["b"].args = { N: "other" };
    const output = await up(settings);
    expect(output).toMatch(/~ 1 updated/);
    expect(output).toMatch(/Image b updated/);
    await up(recorded());
  });

  it("builds when a source changed", async () => {
    await appendFile(join(context.program, "app", "hello.txt"), "more\n");
    await writeFile(join(context.program, "app", "ignored.log"), "ignored\n");
    const output = await up(recorded());
    for (const name of ["a", "b", "c"]) expect(output).toContain(`Image ${name} updated`);
    await writeFile(join(context.program, "app", "ignored.log"), "still ignored\n");
    await expectNoChange(recorded());
  });

  it("builds in a preview with buildOnPreview, and reports why a build failed", async () => {
    const broken = { context: "./broken", dockerfile: "./broken/Dockerfile", buildOnPreview: true };
    expect(await refused({ images: { ...names, names: { broken } } })).toMatch(
      /Image \(broken\):\s+error: .*error reading build output: .*missing\.txt.*not found/s,
    );
  });

  it("pushes nothing in a preview", async () => {
    await context.settings({ images: { ...names, names: { fine: { buildOnPreview: true } } } });
    await context.succeed("preview");
    expect((await context.docker("images", "--quiet", `${context.registry}/*/*/fine`)).output).not.toBe("");
    expect((await context.google("GET", `v1/${repository}/packages/fine`)).status).toBe(404);
  });

  it("reuses the layers of the published image on a machine without them", async () => {
    const latest = `${context.registry}/production-471918/hyperion-public/cached:latest`;
    const cached = { cacheFrom: [latest], args: { N: "cached", BUILDKIT_INLINE_CACHE: "1" } };
    const digest = async (): Promise<unknown> =>
      resourceOf(await context.state(), "docker:index/image:Image", "cached").outputs["repoDigest"];
    await up({ images: { ...names, names: { cached } } });
    const before = await digest();
    await context.docker("image", "prune", "--all", "--force");
    await context.docker("builder", "prune", "--all", "--force");
    const output = await up({ images: { ...names, names: { cached: { ...cached, buildOnPreview: true } } } });
    expect(output).toContain("Image cached updated");
    // A new build would have another creation time, and so another digest.
    expect(await digest()).toBe(before);
  });

  it("builds one context for two platforms, side by side", async () => {
    const settings = recorded();
    const architectures = ["amd64", "arm64"];
    if (settings.images)
      for (const architecture of architectures)
        settings.images.names[architecture] = { platform: { of: "both", architecture } };
    await up(settings);
    const state = await context.state();
    const outputs = architectures.map((name) => resourceOf(state, "docker:index/image:Image", name).outputs);
    expect(outputs.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
    const { body } = await context.google("GET", `v1/${repository}/packages/both/tags`);
    const tags = body["tags"] as { name: string; version: string }[];
    const last = (name: string) => name.replace(/.*\//, "");
    expect(Object.fromEntries(tags.map(({ name, version }) => [last(name), last(version)]))).toEqual(
      Object.fromEntries(
        architectures.map((name, index) => [
          `build-${name}`,
          String(outputs[index]?.["repoDigest"]).replace(/.*@/, ""),
        ]),
      ),
    );
    expect(new Set(tags.map(({ version }) => version)).size).toBe(2);
    await expectNoChange(settings);
    await up(recorded());
  });

  it("reports every missing file before anything is built", async () => {
    const missing = {
      x: { context: "./nowhere" },
      y: { dockerfile: "./Dockerfile" },
      z: { dockerfile: "./app/Other" },
    };
    const output = await refused({ images: { ...names, names: missing } });
    expect(output).toContain('path "./nowhere" not found');
  });

  it("fails a preview if no engine answers", async () => {
    expect(await refused(recorded(), { DOCKER_HOST: "unix:///nowhere.sock" })).toContain(
      "docker native provider returned an unexpected error from Configure: failed to connect to any docker daemon",
    );
  });

  it.each(["SIGKILL", "SIGINT"] as const)("stops a running build when the engine gets %s", async (signal) => {
    const mark = `${process.pid}${signal === "SIGKILL" ? 77 : 78}`;
    const bin = join(context.root, "slow");
    await mkdir(bin, { recursive: true });
    const slow = [
      "#!/bin/sh",
      'case "$1" in --version) echo "Docker version 20.10.0, build 0" ;; *)',
      `exec sleep ${mark} ;; esac`,
    ];
    await writeFile(join(bin, "docker"), `${slow.join("\n")}\n`, { mode: 0o755 });
    const settings = recorded();
    if (settings.images) settings.images.names["e"] = { args: { N: "e" } };
    await context.settings(settings);
    const sleeping = async (): Promise<boolean> =>
      (await context.run("pgrep", ["-f", `^sleep ${mark}$`])).code === 0;
    const PATH = `${bin}:${context.environment["PATH"] ?? ""}`;
    const engine = context.start(["up", "--yes", "--skip-preview"], { PATH });
    await expect.poll(sleeping, { timeout: 30_000 }).toBe(true);
    engine.kill(signal);
    await expect.poll(sleeping, { timeout: 5_000 }).toBe(false);
    await context.pulumi(["cancel", "--yes"]);
    await context.pulumi(["refresh", "--yes", "--clear-pending-creates"]);
  });

  it("fails if the Docker configuration is missing", async () => {
    const nowhere = { DOCKER_CONFIG: join(context.root, "nowhere") };
    expect(await refused(recorded(), nowhere)).toContain("could not open config file");
  });

  it("keeps images in the registry that are no longer declared", async () => {
    await up(recorded());
    await context.succeed("destroy", "--yes", "--skip-preview");
    expect((await context.google("GET", `v1/${repository}/packages/b/tags/latest`)).status).toBe(200);
  });
});

describe("what the fake providers do not support", () => {
  beforeAll(() => newStack("unsupported"));

  it.each([
    ["gcp:storage/bucket:Bucket", {}, "does not support the resource type gcp:storage/bucket:Bucket"],
    [
      "gcp:projects/service:Service",
      { service: "x.googleapis.com", checkIfServiceHasUsageOnDestroy: true },
      'does not support the property "checkIfServiceHasUsageOnDestroy"',
    ],
  ])("is refused: %s %o", async (type, args, message) => {
    expect(await refused({ raw: [{ type, name: "x", args }] })).toContain(message);
  });

  it("is refused: a setting of the provider", async () => {
    await context.succeed("config", "set", "gcp:impersonateServiceAccount", "x@example.com");
    const output = await refused({ google });
    expect(output).toContain('does not support the provider setting "impersonateServiceAccount"');
    await context.succeed("config", "rm", "gcp:impersonateServiceAccount");
  });

  it("reports where to get a token if there is none", async () => {
    await context.settings({ google });
    const none = { GOOGLE_OAUTH_ACCESS_TOKEN: "" };
    const output = failed(await context.pulumi(["up", "--yes", "--skip-preview"], none));
    expect(output).toContain("GOOGLE_OAUTH_ACCESS_TOKEN");
  });
});
