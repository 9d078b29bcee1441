import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { failed, passed } from "../support/outcome.ts";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { PROJECT, REPOSITORY, useProduction } from "../support/workflows.ts";

// act runs preview.yml and drift.yml, which report, and check.yml. See workflows.test.ts.

const sandbox = useSandbox();
const github = useProduction(sandbox);

const REGISTRY = `v1/projects/${PROJECT}/locations/us-central1/repositories/hyperion-public`;

interface Text {
  id: number;
  body: string;
  title?: string;
  state?: string;
  user: { login: string };
}

describe("preview.yml", () => {
  const MARKER = "<!-- hyperion: preview -->";
  const preview = async (repository = REPOSITORY): Promise<Outcome> => {
    const head = { ref: "feature", repo: { full_name: repository } };
    const payload = { number: 1, pull_request: { number: 1, head, base: { ref: "main" } } };
    return github.run("preview.yml", { event: "pull_request", ref: "refs/pull/1/merge", payload });
  };
  const comments = async (): Promise<Text[]> => (await github.api("GET", "/issues/1/comments")) as Text[];
  /** The text of the workflow's only comment. */
  const comment = async (): Promise<string> => {
    const own = (await comments()).filter(({ user }) => user.login.endsWith("[bot]"));
    expect(own).toHaveLength(1);
    return String(own[0]?.body);
  };

  beforeAll(async () => {
    await github.api("POST", "/pulls", { title: "A change", head: "feature", base: "main" });
    // A person's comment that looks like the workflow's.
    await github.api("POST", "/issues/1/comments", { body: `${MARKER}\nmine` });
  });

  test("reports what main would publish, and that nothing else changes", async () => {
    passed(await preview());
    const commit = await github.git("rev-parse", "--short=7", "HEAD");
    expect(await comment()).toContain(
      `${MARKER}\n### What this changes in production\n\nNo infrastructure changes.`,
    );
    expect(await comment()).toContain(commit);
    const { body } = await sandbox.google("GET", `${REGISTRY}/packages`);
    expect(body).not.toHaveProperty("packages");
  });

  test("reports changes of production in the same comment", async () => {
    await github.pulumi("config", "set", "--path", "readers[0]", "user:dana@example.com");
    await github.push();
    passed(await preview());
    expect(await comment()).toContain("create gcp:artifactregistry/repositoryIamMember:RepositoryIamMember");
  });

  test("reports why the images cannot be built, and fails", async () => {
    const dockerfile = join(github.folder, "coordinator/ui/Dockerfile");
    const good = await readFile(dockerfile, "utf8");
    await writeFile(dockerfile, `${good}\nCOPY no-such-file ./\n`);
    await github.push();
    failed(await preview());
    expect(await comment()).toMatch(/The preview of the images failed[^]*no-such-file/);
    await writeFile(dockerfile, good);
  });

  test("reports that it failed before it started", async () => {
    const file = join(github.folder, ".nvmrc");
    const good = await readFile(file, "utf8");
    await writeFile(file, "99\n");
    await github.push();
    failed(await preview());
    expect(await comment()).toMatch(
      /is unknown, because the preview failed before it began, \[during its set-up\]\(file:\S+\/actions\/runs\/\d+\)/,
    );
    await writeFile(file, good);
    await github.push();
  });

  test("does nothing for a fork, and keeps a person's comment", async () => {
    const before = await comments();
    expect(passed(await preview("mallory/dev-squad"))).not.toContain("Run Main");
    expect(await comments()).toEqual(before);
    expect(before.map(({ body }) => body)).toContain(`${MARKER}\nmine`);
  });
});

describe("drift.yml", () => {
  const runDrift = (vars: Record<string, string> = {}): Promise<Outcome> =>
    github.run("drift.yml", { event: "workflow_dispatch", vars });
  const issues = async (state = "open"): Promise<Text[]> =>
    ((await github.api("GET", `/issues?state=${state}`)) as Text[]).filter(({ user }) =>
      user.login.endsWith("[bot]"),
    );
  const describeRegistry = async (description: string): Promise<void> => {
    const { status } = await sandbox.google("PATCH", `${REGISTRY}?updateMask=description`, { description });
    expect(status).toBe(200);
  };
  let description: string;

  beforeAll(async () => {
    passed(await github.run("publish.yml"));
    ({ description } = (await sandbox.google("GET", REGISTRY)).body as { description: string });
  });

  test("dispatches a run of itself on schedule, and checks nothing then", async () => {
    const runs = (): Promise<unknown> => github.api("GET", "/actions/workflows/drift.yml/runs");
    const before = (await runs()) as { total_count: number };
    expect(passed(await github.run("drift.yml", { event: "schedule" }))).not.toContain("Run Main Look");
    expect(await runs()).toMatchObject({ total_count: before.total_count + 1 });
  });

  test("opens no issue without drift", async () => {
    // Applies the settings that the tests of preview.yml left.
    await github.pulumi("up", "--yes", "--skip-preview");
    passed(await runDrift());
    expect(await issues("all")).toEqual([]);
  });

  test("opens an issue about a manual change, with the time of the run", async () => {
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
