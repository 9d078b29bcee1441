import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { nativePlatform } from "../support/native-build.ts";
import { failed, passed } from "../support/outcome.ts";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { changeSettings, placeOf } from "../support/stack-file.ts";
import {
  type Attestation,
  productionTags,
  PROJECT,
  pushSources,
  REPOSITORY,
  SOURCES,
  type Stack,
  useProduction,
} from "../support/workflows.ts";

// act runs the workflows: expressions, conditions, outputs of jobs, and this repository's actions, with the identity in GitHub's
// token. Replacements run instead of third-party actions (test/support/workflows.ts). Not modelled: environments (the OIDC
// token names the job's), concurrency, the permissions of `github.token` in a step that runs commands. The describe blocks
// share one production, in this order.

const sandbox = useSandbox();
const github = useProduction(sandbox);

const REGISTRY = `v1/projects/${PROJECT}/locations/us-central1/repositories/hyperion-public`;
const LOCKS = ".pulumi/locks/organization/hyperion-registry";
const DRIFT = "/actions/workflows/drift.yml";

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

/** Creates a folder with a short `sleep`. Tokens of a login from before it expire meanwhile, and later ones live for an hour. */
const shortPause = async (tokenSeconds: number): Promise<string> => {
  const bin = join(sandbox.scratch, "sleep-bin");
  await mkdir(bin);
  const lifetime = (seconds: number): string => `"token_lifetime_seconds":${seconds}}`;
  const script = `#!/bin/sh
sed -i 's/${lifetime(tokenSeconds)}/${lifetime(3600)}/' "$GOOGLE_APPLICATION_CREDENTIALS"
exec /bin/sleep ${tokenSeconds}
`;
  await writeFile(join(bin, "sleep"), script, { mode: 0o755 });
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

/** A comment or an issue. */
interface Text {
  body: string;
  user: { login: string };
}
const texts = async (path: string): Promise<Text[]> => (await github.api("GET", path)) as Text[];
const byBot = ({ user }: Text): boolean => user.login.endsWith("[bot]");

const ui = (): Promise<Record<string, string>> => productionTags(sandbox, "hyperion-ui");

describe("preview.yml", () => {
  const MARKER = "<!-- hyperion: preview -->";
  const preview = async (repository = REPOSITORY): Promise<Outcome> => {
    const head = { ref: "feature", repo: { full_name: repository } };
    const payload = { number: 1, pull_request: { number: 1, head, base: { ref: "main" } } };
    return github.run("preview.yml", { event: "pull_request", ref: "refs/pull/1/merge", payload });
  };
  const comments = (): Promise<Text[]> => texts("/issues/1/comments");
  /** The text of the workflow's only comment. */
  const comment = async (): Promise<string> => {
    const own = (await comments()).filter(byBot);
    expect(own).toHaveLength(1);
    return String(own[0]?.body);
  };

  beforeAll(async () => {
    await github.api("POST", "/pulls", { title: "A change", head: "feature", base: "main" });
    // A person's comment that looks like the workflow's.
    await github.api("POST", "/issues/1/comments", { body: `${MARKER}\nmine` });
  });

  test("reports changes of production and what main would publish, and changes nothing", async () => {
    passed(
      await github.pulumi("production", ["config", "set", "--path", "readers[0]", "user:dana@example.com"]),
    );
    await github.push();
    passed(await preview());
    const commit = await github.git("rev-parse", "--short=7", "HEAD");
    expect(await comment()).toContain(`${MARKER}\n### What this changes in production\n\n`);
    expect(await comment()).toContain("create gcp:artifactregistry/repositoryIamMember:RepositoryIamMember");
    expect(await comment()).toContain(commit);
    const { body } = await sandbox.google("GET", `${REGISTRY}/packages`);
    expect(body).not.toHaveProperty("packages");
    await github.git("checkout", "--quiet", "HEAD~", "--", "Pulumi.production.yaml");
  });

  /** Pushes a changed file while `action` runs. */
  async function withChanged(
    name: string,
    change: (text: string) => string,
    action: () => Promise<void>,
  ): Promise<void> {
    const file = join(github.folder, name);
    const good = await readFile(file, "utf8");
    await writeFile(file, change(good));
    await github.push();
    try {
      await action();
    } finally {
      await writeFile(file, good);
      await github.push();
    }
  }

  test("reports in the same comment why the images cannot be built, and fails", async () => {
    const copy = (dockerfile: string): string => `${dockerfile}\nCOPY no-such-file ./\n`;
    await withChanged("coordinator/ui/Dockerfile", copy, async () => {
      failed(await preview());
    });
    expect(await comment()).toMatch(
      /production\n\nNo infrastructure changes\.\n\nThe preview of the images failed[^]*no-such-file/,
    );
  });

  test("reports that it failed before it started", async () => {
    const other = (): string => "99\n";
    await withChanged(".nvmrc", other, async () => {
      failed(await preview());
    });
    expect(await comment()).toMatch(
      /is unknown, because the preview failed before it began, \[during its set-up\]\(file:\S+\/actions\/runs\/\d+\)/,
    );
  });

  test("does nothing for a fork, and keeps a person's comment", async () => {
    const before = await comments();
    expect(passed(await preview("mallory/dev-squad"))).not.toContain("Run Main");
    expect(await comments()).toEqual(before);
    expect(before.map(({ body }) => body)).toContain(`${MARKER}\nmine`);
  });
});

describe("publish.yml", () => {
  test("publishes main under its commit, its day and edge, and starts drift.yml, which GitHub had disabled", async () => {
    await sandbox.google("POST", `sandbox/github/${REPOSITORY}/drift.yml/sleep`);
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

  test("reports the missing release of a version without a tag, and creates it in a rerun; attests no earlier build, and keeps drift.yml disabled if a person disabled it", async () => {
    await github.api("PUT", `${DRIFT}/disable`);
    const trigger = { ref: "refs/tags/v1.4.2", path: await ghWithout("hyperion-ui") };
    const output = failed(await github.run("publish.yml", trigger));
    expect(output).toContain("The images of v1.4.2 are published. Their release at GitHub is missing");
    const { edge, ...tags } = await ui();
    for (const tag of ["1.4.2", "v1.4.2", "1.4", "1", "latest"]) expect(tags[tag]).toBe(edge);
    await expect(github.api("GET", "/git/ref/tags%2Fv1.4.2")).rejects.toThrow("Not Found");
    expect(await releases()).toEqual([]);

    await createTag("v1.4.2");
    passed(await github.run("publish.yml", trigger));
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
    await github.api("PUT", `${DRIFT}/enable`);
  });

  test("updates the release of a version if it exists", async () => {
    await createTag("v1.4.3");
    await github.api("POST", "/releases", { tag_name: "v1.4.3", name: "A draft", body: "Soon" });
    passed(await github.run("publish.yml", { ref: "refs/tags/v1.4.3" }));
    const { "1.4.3": digest, latest } = await ui();
    expect(latest).toBe(digest);
    expect((await releases()).map(({ name }) => name)).toEqual(["v1.4.3", "v1.4.2"]);
    expect(await github.api("GET", "/releases/latest")).toMatchObject({
      tag_name: "v1.4.3",
      body: expect.stringContaining("/compare/v1.4.2...v1.4.3") as string,
    });
  });

  test("waits for a lock while a newer commit is pushed, then publishes with the tag of the commit only, also after the first login has expired and if GitHub refuses attestations", async () => {
    const { edge } = await ui();
    // Builds and pushes less from here on.
    await changeSettings(github.folder, ["--stack", "production-images"], (document) => {
      document.setIn(placeOf("platforms[0]"), nativePlatform);
    });
    const page = join(github.folder, "coordinator/ui/src/index.html");
    await writeFile(page, "<!-- another build -->\n", { flag: "a" });
    const commit = await github.push();
    const lock = `${LOCKS}/production-images/6a0c4a1e-93a4-4b0a-8f0e-1f6d1c1f1a11.json`;
    const holder = { pid: 1, username: "u", hostname: "h", timestamp: "2026-01-01T00:00:00Z" };
    await github.putObject("production-images", lock, JSON.stringify(holder));
    let unlocked: Promise<unknown> | undefined;
    let overtaken: Promise<unknown> | undefined;
    const tokenSeconds = 3;
    const path = await shortPause(tokenSeconds);
    const trigger = { commit, event: "workflow_dispatch", tokenSeconds, attests: false, path };
    const outcome = await github.run("publish.yml", trigger, (printed) => {
      const times = printed.split("Locked; trying again in 20 s").length - 1;
      if (times > 0) overtaken ??= github.push();
      if (times > 1) unlocked ??= overtaken?.then(() => github.putObject("production-images", lock));
    });
    await Promise.all([overtaken, unlocked]);
    expect(failed(outcome)).toContain("The images are published, but without an attestation of the build.");
    expect(outcome.output).toContain("hyperion-registry:releaseDate=20");
    expect(await github.attestations()).toEqual([]);
    const tags = await ui();
    expect(tags[commit.slice(0, 7)]).toBe(tags["build"]);
    expect(tags["build"]).not.toBe(edge);
    expect(tags["edge"]).toBe(edge);
  });

  test("leaves images that anyone can pull once the registry is public, and bootstrap changes nothing", async () => {
    passed(await github.pulumi("production", ["config", "set", "publicAccess", "true"]));
    passed(await github.pulumi("production", ["up", "--yes", "--skip-preview"]));
    await github.push();
    const host = sandbox.registry.replace(/\/.*/, "");
    for (const { name } of images)
      passed(await sandbox.anonymousDocker("pull", `${host}/${PROJECT}/hyperion-public/${name}:1.4.3`));
    expect(await github.bootstrap()).toContain("Everything is there; nothing was changed.");
  });

  test("does nothing in a repository that is not set up, such as a fork", async () => {
    const output = passed(await github.run("publish.yml", { vars: { WORKLOAD_IDENTITY_PROVIDER: "" } }));
    expect(output).not.toContain("Run Main");
  });
});

describe("drift.yml", () => {
  const runDrift = (vars: Record<string, string> = {}): Promise<Outcome> =>
    github.run("drift.yml", { event: "workflow_dispatch", vars });
  const issues = async (state = "open"): Promise<Text[]> =>
    (await texts(`/issues?state=${state}`)).filter(byBot);
  const describeRegistry = async (description: string): Promise<void> => {
    const { status } = await sandbox.google("PATCH", `${REGISTRY}?updateMask=description`, { description });
    expect(status).toBe(200);
  };
  test("dispatches a run of itself on schedule, and checks nothing then", async () => {
    const runs = (): Promise<unknown> => github.api("GET", `${DRIFT}/runs`);
    const before = (await runs()) as { total_count: number };
    expect(passed(await github.run("drift.yml", { event: "schedule" }))).not.toContain("Run Main Look");
    expect(await runs()).toMatchObject({ total_count: before.total_count + 1 });
  });

  test("opens no issue without drift", async () => {
    passed(await runDrift());
    expect(await issues("all")).toEqual([]);
  });

  let description: string;
  test("opens an issue about a manual change, with the time of the run", async () => {
    ({ description } = (await sandbox.google("GET", REGISTRY)).body as { description: string });
    await describeRegistry("changed by hand");
    passed(await runDrift());
    expect(await issues()).toMatchObject([{ title: "Production is not as the stack says" }]);
    const [{ body } = { body: "" }] = await issues();
    expect(body).toContain("update gcp:artifactregistry/repository:Repository registry (description)");
    expect(body).toMatch(
      /\n\nLast run: \[\d{4}-\d\d-\d\d \d\d:\d\d UTC\]\(file:\S+\/actions\/runs\/\d+\)\.$/,
    );
  });

  test("keeps the findings if it cannot check, and reports since when drift is unknown", async () => {
    failed(await runDrift({ PULUMI_BACKEND_URL: "file:///nowhere" }));
    const [{ body } = { body: "" }, ...more] = await issues();
    expect(more).toEqual([]);
    expect(body).toMatch(
      /Drift is unknown since \d{4}-\d\d-\d\d: the last run failed\.\n\n[^]*\(description\)/,
    );
  });

  test("closes the issue when the drift is gone", async () => {
    await describeRegistry(description);
    passed(await runDrift());
    expect(await issues()).toEqual([]);
    expect(await github.api("GET", "/issues/2/comments")).toMatchObject([
      { body: expect.stringMatching(/^No drift any more\. Last run: /) as string },
    ]);
  });
});

describe("the states in Cloud Storage", () => {
  const STACKS: readonly Stack[] = ["production", "production-images"];
  const UP = ["up", "--yes", "--skip-preview"];
  const account = (variable: string): string => `serviceAccount:${github.vars[variable] ?? ""}`;

  test("the CI account has no permission on the infrastructure's state", async () => {
    const ci = account("CI_SERVICE_ACCOUNT");
    for (const args of [["preview"], ["stack", "export"], UP, ["cancel", "--yes"]])
      failed(await github.pulumi("production", args, ci));
    const permissions = ["list", "get"].map((each) => `storage.objects.${each}`);
    expect(github.refused("production", ci)).toEqual(expect.arrayContaining(permissions));
  });

  test("the preview account writes neither state", async () => {
    const reader = account("PREVIEW_SERVICE_ACCOUNT");
    for (const stack of STACKS) {
      failed(await github.pulumi(stack, UP, reader));
      expect(github.refused(stack, reader)).toContain("storage.objects.create");
    }
  });

  test("neither holds a secret", async () => {
    for (const stack of STACKS) {
      const state = passed(await github.pulumi(stack, ["stack", "export", "--show-secrets"]));
      const { deployment } = JSON.parse(state) as { deployment: { resources: { inputs?: object }[] } };
      expect(deployment.resources.length).toBeGreaterThan(5);
      const inputs = JSON.stringify(deployment.resources.map((resource) => resource.inputs))
        // Public words about tokens: the issuer's address and what the provider is for.
        .replaceAll("https://token.actions.githubusercontent.com", "")
        .replaceAll("Tokens of GitHub Actions", "");
      expect(inputs).not.toMatch(/password|"username"|token|secret|private_?key/i);
      expect(state).not.toContain("oauth2accesstoken");
    }
  });

  test("an up is refused after a kill, until the lock is released", async () => {
    const first = await github.startPulumi("production", UP);
    const locked = (): Promise<string[]> => github.objects("production", LOCKS);
    await expect.poll(locked, { timeout: 60_000, interval: 20 }).toHaveLength(1);
    process.kill(first.pid, "SIGKILL");
    await first.ended;
    const refused = failed(await github.pulumi("production", UP));
    expect(refused).toContain("the stack is currently locked by 1 lock(s)");
    passed(await github.pulumi("production", ["cancel", "--yes"]));
    passed(await github.pulumi("production", [...UP, "--expect-no-changes"]));
  });
});

test("publish.yml builds from the sources of another repository, under their commit", async () => {
  await rm(join(github.folder, "coordinator"), { recursive: true });
  await github.push();
  const commit = await pushSources(sandbox, github, "hyperion");
  const vars = { SOURCES_REPOSITORY: SOURCES, SOURCES_FOLDER: "hyperion" };
  passed(await github.run("publish.yml", { vars }));
  const tags = await ui();
  expect(tags[commit.slice(0, 7)]).toBe(tags["build"]);
  expect(tags["edge"]).toBe(tags["build"]);
});

test("check.yml runs every check, and needs only the sources", async () => {
  const record = join(sandbox.scratch, "checked");
  const bin = join(sandbox.scratch, "checking");
  const fake = (name: string, body: string): Promise<void> =>
    writeFile(join(bin, name), `#!/bin/sh\necho "${name} $*" >>'${record}'\n${body}\n`, { mode: 0o755 });
  await mkdir(bin);
  await fake(
    "npm",
    'if [ "$2" = test:faults ]; then mkdir -p test/faults/results && touch test/faults/results/reliability.md; fi',
  );
  await fake("sudo", "");
  await writeFile(join(github.folder, "scripts/lint-workflows.sh"), "#!/bin/sh\nnpm lint-workflows\n", {
    mode: 0o755,
  });
  await github.push();
  passed(await github.run("check.yml", { event: "schedule", path: bin }));
  const calls = (await readFile(record, "utf8")).trim().split("\n");
  expect(calls).toEqual(
    expect.arrayContaining([
      "npm run check",
      "npm run test:unit",
      "npm lint-workflows",
      "npm audit --omit=dev --audit-level=high",
      "npm run licenses --silent",
      ...["test:sandbox", "test:faults", "test:load"].map((tests) => `npm run ${tests}`),
      "sudo apt-get install --yes --quiet docker-registry skopeo jq",
    ]),
  );
});
