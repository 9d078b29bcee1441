import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { failed, passed } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import {
  type Attestation,
  productionTags,
  PROJECT,
  pushSources,
  REPOSITORY,
  SOURCES,
  useProduction,
} from "../support/workflows.ts";

// act runs publish.yml: expressions, conditions, outputs of jobs, and this repository's actions, with the identity in GitHub's
// token. Replacements run instead of third-party actions (test/support/workflows.ts). Not modelled: environments (the OIDC
// token names the job's), concurrency, the permissions of `github.token` in a step that runs commands.

const sandbox = useSandbox();
const github = useProduction(sandbox);

/** Creates a folder with a fake `gh`, which finds an attestation of every image except this one. */
const ghWithout = async (image: string): Promise<string> => {
  const bin = join(sandbox.scratch, "gh-bin");
  await mkdir(bin, { recursive: true });
  const script = `#!/bin/sh
[ -n "$GH_TOKEN" ] && [ "$1 $2 $4 $5" = "attestation verify --repo ${REPOSITORY}" ] || exit 2
case $3 in
  oci://*/${image}@sha256:*)
    echo "Error: HTTP 404: Not Found (https://api.github.com/repos/${REPOSITORY}/attestations/\${3#*@}?per_page=30&predicate_type=https://slsa.dev/provenance/v1)" >&2
    exit 1
    ;;
esac
`;
  await writeFile(join(bin, "gh"), script, { mode: 0o755 });
  return bin;
};

const createTag = (name: string): Promise<unknown> =>
  github.api("POST", "/git/refs", { ref: `refs/tags/${name}`, sha: "a".repeat(40) });

interface Release {
  tag_name: string;
  name: string;
  body: string;
  prerelease: boolean;
}
const releases = async (): Promise<Release[]> => (await github.api("GET", "/releases")) as Release[];

const ui = (): Promise<Record<string, string>> => productionTags(sandbox, "hyperion-ui");
const DRIFT = "/actions/workflows/drift.yml";

describe("publish.yml", () => {
  test("publishes main under its commit, its day and edge, and starts drift.yml, which GitHub had disabled", async () => {
    await sandbox.google("POST", `sandbox/github/HyperionWave-AI/dev-squad/drift.yml/sleep`);
    const commit = await github.git("rev-parse", "HEAD");
    passed(await github.run("publish.yml"));
    for (const { name } of images) {
      const tags = Object.entries(await productionTags(sandbox, name)).filter(
        ([tag]) => !tag.startsWith("build-"),
      );
      const day = new Date().toISOString().slice(0, 10);
      expect(tags.map(([tag]) => tag).sort()).toEqual([commit.slice(0, 7), day, "build", "edge"].sort());
      expect(new Set(tags.map(([, digest]) => digest)).size).toBe(1);
    }
    // The attestations name the digests in the registry: the index, and the SBOM of each platform.
    const subjects: Attestation[] = [];
    for (const { name: image } of images) {
      const tags = await productionTags(sandbox, image);
      const name = `${sandbox.registry.replace(/\/.*/, "")}/${PROJECT}/hyperion-public/${image}`;
      for (const [tag, kind] of [
        ["build", "provenance"],
        ["build-amd64", "sbom"],
        ["build-arm64", "sbom"],
      ] as const)
        subjects.push({ kind, name, digest: tags[tag] ?? "" });
    }
    const attested = await github.attestations();
    expect(attested).toHaveLength(subjects.length);
    expect(attested).toEqual(expect.arrayContaining(subjects));
    expect(await releases()).toEqual([]);
    expect(await github.api("GET", DRIFT)).toMatchObject({ state: "active" });
    const started = { event: "workflow_dispatch", head_branch: "refs/heads/main" };
    expect(await github.api("GET", `${DRIFT}/runs`)).toMatchObject({ workflow_runs: [started] });
  });

  test("publishes the version of a tag with a release, attests no earlier build, and keeps drift.yml disabled if a person disabled it", async () => {
    await github.api("PUT", `${DRIFT}/disable`);
    await createTag("v1.4.2");
    const path = await ghWithout("hyperion-ui");
    passed(await github.run("publish.yml", { ref: "refs/tags/v1.4.2", path }));
    const { edge, ...tags } = await ui();
    for (const tag of ["1.4.2", "v1.4.2", "1.4", "1", "latest"]) expect(tags[tag]).toBe(edge);
    expect(await github.attestations()).toEqual([]);
    const [{ body, ...release } = { body: "" }, ...more] = await releases();
    expect([release, more]).toMatchObject([{ tag_name: "v1.4.2", name: "v1.4.2", prerelease: false }, []]);
    for (const { name } of images) {
      const digest = (await productionTags(sandbox, name))["1.4.2"] ?? "";
      const attested = name === "hyperion-ui" ? "\\*\\*none\\*\\*" : "attested";
      const platforms = "`linux/amd64`, `linux/arm64`";
      expect(body).toMatch(
        new RegExp(
          `^\\| \`${name}\` \\| \`${digest}\` \\| ${platforms} \\| \\S+ \\wi?B, \\S+ \\wi?B \\| ${attested} \\|$`,
          "m",
        ),
      );
    }
    expect(body).toMatch(/\*\*Full Changelog\*\*: \S+\/commits\/v1\.4\.2$/);
    expect(await github.api("GET", `${DRIFT}/runs`)).toMatchObject({ total_count: 1 });
  });

  test("creates no tag, reports the missing release, and creates it in a rerun", async () => {
    const trigger = { ref: "refs/tags/v1.4.3" };
    const output = failed(await github.run("publish.yml", trigger));
    expect(output).toContain("The images of v1.4.3 are published. Their release at GitHub is missing");
    const { "1.4.3": digest, latest } = await ui();
    expect(latest).toBe(digest);
    await expect(github.api("GET", "/git/ref/tags%2Fv1.4.3")).rejects.toThrow("Not Found");
    expect(await releases()).toHaveLength(1);
    await createTag("v1.4.3");
    for (const attempt of [1, 2]) {
      passed(await github.run("publish.yml", trigger));
      const [{ body } = { body: "" }, ...others] = await releases();
      expect([attempt, others.length]).toEqual([attempt, 1]);
      expect(body).toContain("/compare/v1.4.2...v1.4.3");
      expect(await github.api("GET", "/releases/latest")).toMatchObject({ tag_name: "v1.4.3" });
    }
  });

  test("publishes an outdated commit of main with the tag of the commit only, even if GitHub refuses attestations", async () => {
    const { edge } = await ui();
    const page = join(github.folder, "coordinator/ui/src/index.html");
    await writeFile(page, "<!-- another build -->\n", { flag: "a" });
    const commit = await github.push();
    await github.push();
    // A branch whose name ends like that of main, and which git lists first.
    await github.git("push", "--quiet", "origin", `${commit}:refs/heads/a/refs/heads/main`);
    const outcome = await github.run("publish.yml", { commit, event: "workflow_dispatch", attests: false });
    expect(failed(outcome)).toContain("The images are published, but without an attestation of the build.");
    expect(await github.attestations()).toEqual([]);
    const tags = await ui();
    expect(tags[commit.slice(0, 7)]).toBe(tags["build"]);
    expect(tags["build"]).not.toBe(edge);
    expect(tags["edge"]).toBe(edge);
  });

  test("waits for a lock while a newer commit is pushed, and stays logged in after the first login expires", async () => {
    const before = await ui();
    const commit = await github.push();
    const locks = ".pulumi/locks/organization/hyperion-registry/production-images";
    const lock = `${locks}/6a0c4a1e-93a4-4b0a-8f0e-1f6d1c1f1a11.json`;
    const holder = { pid: 1, username: "u", hostname: "h", timestamp: "2026-01-01T00:00:00Z" };
    await github.putObject(lock, JSON.stringify(holder));
    let unlocked: Promise<unknown> | undefined;
    let overtaken: Promise<unknown> | undefined;
    const tokenSeconds = 35;
    const outcome = await github.run("publish.yml", { commit, tokenSeconds }, (printed) => {
      const times = printed.split("Locked; trying again in 20 s").length - 1;
      if (times > 0) overtaken ??= github.push();
      if (times > 1) unlocked ??= github.putObject(lock);
    });
    await Promise.all([overtaken, unlocked]);
    expect(passed(outcome)).toContain("hyperion-registry:releaseDate=20");
    const tags = await ui();
    expect(tags[commit.slice(0, 7)]).toBe(tags["build"]);
    expect(tags["edge"]).toBe(before["edge"]);
  });

  test("leaves images that anyone can pull once the registry is public, and bootstrap changes nothing", async () => {
    await github.pulumi("config", "set", "publicAccess", "true");
    await github.pulumi("up", "--yes", "--skip-preview");
    const host = sandbox.registry.replace(/\/.*/, "");
    for (const { name } of images)
      passed(await sandbox.anonymousDocker("pull", `${host}/${PROJECT}/hyperion-public/${name}:1.4.3`));
    expect(await github.bootstrap()).toContain("Everything is there; nothing was changed.");
  });

  test("does nothing in a repository that is not set up, such as a fork", async () => {
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
