import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { failed, passed } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { type Github, pushSources, SOURCES, tagsOf, useProduction } from "../support/workflows.ts";

// publish.yml, run by act: expressions, conditions, outputs of jobs, actions of this repository, in a job that is who GitHub's
// token says. Other people's actions are stood in for (test/support/workflows.ts). Not modelled: environments (the OIDC token
// names the job's), concurrency, the permissions of `github.token` in a step that runs commands.

const sandbox = useSandbox();
let github: Github;

const ui = (): Promise<Record<string, string>> => tagsOf(sandbox, "hyperion-ui");
const DRIFT = "/actions/workflows/drift.yml";

beforeAll(async () => {
  github = await useProduction(sandbox);
}, 900_000);

describe("publish.yml", () => {
  test("publishes main under its commit, its day and edge, and starts drift.yml, which GitHub had disabled", async () => {
    await sandbox.google("POST", `sandbox/github/HyperionWave-AI/dev-squad/drift.yml/sleep`);
    const commit = await github.git("rev-parse", "HEAD");
    passed(await github.run("publish.yml"));
    for (const { name } of images) {
      const tags = Object.entries(await tagsOf(sandbox, name)).filter(([tag]) => !tag.startsWith("build-"));
      const day = new Date().toISOString().slice(0, 10);
      expect(tags.map(([tag]) => tag).sort()).toEqual([commit.slice(0, 7), day, "build", "edge"].sort());
      expect(new Set(tags.map(([, digest]) => digest)).size).toBe(1);
    }
    expect(await github.api("GET", DRIFT)).toMatchObject({ state: "active" });
    const started = { event: "workflow_dispatch", head_branch: "refs/heads/main" };
    expect(await github.api("GET", `${DRIFT}/runs`)).toMatchObject({ workflow_runs: [started] });
  });

  test("publishes a version of a tag, and leaves a drift.yml that a person disabled", async () => {
    await github.api("PUT", `${DRIFT}/disable`);
    passed(await github.run("publish.yml", { ref: "refs/tags/v1.4.2" }));
    const { edge, ...tags } = await ui();
    for (const tag of ["1.4.2", "v1.4.2", "1.4", "1", "latest"]) expect(tags[tag]).toBe(edge);
    expect(await github.api("GET", `${DRIFT}/runs`)).toMatchObject({ total_count: 1 });
  });

  test("publishes what main has left behind under its commit alone", async () => {
    const { edge } = await ui();
    const page = join(github.folder, "coordinator/ui/src/index.html");
    await writeFile(page, "<!-- another build -->\n", { flag: "a" });
    const commit = await github.push();
    await github.push();
    // A branch whose name ends like that of main, and which git lists first.
    await github.git("push", "--quiet", "origin", `${commit}:refs/heads/a/refs/heads/main`);
    passed(await github.run("publish.yml", { commit, event: "workflow_dispatch" }));
    const tags = await ui();
    expect(tags[commit.slice(0, 7)]).toBe(tags["build"]);
    expect(tags["build"]).not.toBe(edge);
    expect(tags["edge"]).toBe(edge);
  });

  test("waits for a held lock, is overtaken meanwhile, and is still logged in when the first login has expired", async () => {
    const before = await ui();
    const commit = await github.push();
    const locks = join(
      sandbox.scratch,
      "state-images/.pulumi/locks/organization/hyperion-registry/production-images",
    );
    const lock = join(locks, "6a0c4a1e-93a4-4b0a-8f0e-1f6d1c1f1a11.json");
    const holder = { pid: 1, username: "u", hostname: "h", timestamp: "2026-01-01T00:00:00Z" };
    await mkdir(locks, { recursive: true });
    await writeFile(lock, JSON.stringify(holder));
    let overtaken: Promise<unknown> | undefined;
    const tokenSeconds = 35;
    const outcome = await github.run("publish.yml", { commit, tokenSeconds }, (printed) => {
      const times = printed.split("Locked; trying again in 20 s").length - 1;
      if (times > 0) overtaken ??= github.push();
      if (times > 1) void rm(lock, { force: true });
    });
    await overtaken;
    expect(passed(outcome)).toContain("hyperion-registry:releaseDate=20");
    const tags = await ui();
    expect(tags[commit.slice(0, 7)]).toBe(tags["build"]);
    expect(tags["edge"]).toBe(before["edge"]);
  });

  test("does nothing where the repository has not been set up, as in a fork", async () => {
    const output = passed(await github.run("publish.yml", { vars: { WORKLOAD_IDENTITY_PROVIDER: "" } }));
    expect(output).not.toContain("Run Main");
  });

  test("builds from the sources of another repository, under their commit", async () => {
    await rm(join(github.folder, "coordinator"), { recursive: true });
    await github.push();
    expect(failed(await github.run("publish.yml"))).toContain("hyperion-registry:sourceDir");
    const commit = await pushSources(sandbox, github, "hyperion");
    passed(
      await github.run("publish.yml", { vars: { SOURCES_REPOSITORY: SOURCES, SOURCES_FOLDER: "hyperion" } }),
    );
    const tags = await ui();
    expect(tags[commit.slice(0, 7)]).toBe(tags["build"]);
    expect(tags["edge"]).toBe(tags["build"]);
    await cp(join(sandbox.sources, "coordinator"), join(github.folder, "coordinator"), { recursive: true });
  });
});
