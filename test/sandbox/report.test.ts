import { execa } from "execa";
import { appendFile, utimes } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import images from "../../images.json";
import { repositoryRoot } from "../../sandbox/paths";
import { type Sandbox, startSandbox } from "./sandbox";

interface Version {
  image: string;
  digest: string;
  tags: string[];
  sizeBytes: number;
}

interface Report {
  url: string;
  storedBytes: number;
  versions: Version[];
  cleanup: { dryRun: boolean; deletes: Version[] };
}

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});

afterAll(() => sandbox.stop());

/** `npm run report -- --stack sandbox WORDS` in a shell that uses the sandbox. */
async function report(env: NodeJS.ProcessEnv, ...words: string[]) {
  const args = ["run", "--silent", "report", "--", "--stack", "sandbox", ...words];
  return execa("npm", args, { cwd: repositoryRoot, env: { ...sandbox.env, ...env }, reject: false });
}

async function json(): Promise<Report> {
  return JSON.parse((await report({}, "--json")).stdout) as Report;
}

test("what is in the registry, with layers that images share counted once", async () => {
  const { url, versions, storedBytes, cleanup } = await json();
  expect(url).toBe(await sandbox.output("registryUrl"));
  expect(versions.map(({ image, tags }) => [image, [...tags].sort()])).toEqual(
    images.map(({ name }) => [name, ["build", "latest"]]),
  );
  // All three are built on one base image, which is most of each.
  const [first, ...others] = versions.map(({ sizeBytes }) => sizeBytes).sort((a, b) => b - a);
  const sum = others.reduce((all, size) => all + size, first ?? 0);
  expect(storedBytes).toBeGreaterThanOrEqual(first ?? Infinity);
  expect(storedBytes).toBeLessThan(sum / 2);
  expect(cleanup).toMatchObject({ dryRun: false, deletes: [] });
});

test("what cleanup would delete: an old version without a tag, once newer ones fill the count", async () => {
  const before = (await json()).versions.find(({ image }) => image === "hyperion-ui");
  await appendFile(join(sandbox.sources, "coordinator/ui/server.js"), "\n// changed\n");
  await sandbox.pulumi("config", "set", "cleanupKeepCount", "1");
  await sandbox.pulumi("up", "--yes", "--skip-preview");
  const { digest = "" } = before ?? {};
  const link = `hyperion-sandbox/hyperion-public/hyperion-ui/_manifests/revisions/${digest.replace(":", "/")}/link`;
  const longAgo = new Date(Date.now() - 20 * 86_400_000);
  await utimes(join(sandbox.root, "registry/docker/registry/v2/repositories", link), longAgo, longAgo);
  const after = await json();
  expect(after.versions).toHaveLength(4);
  expect(after.cleanup.deletes.map((version) => version.digest)).toEqual([digest]);
  const { stdout } = await report({});
  expect(stdout).toContain("4 versions of 3 images");
  expect(stdout).toMatch(/Cost {6}about \$0\.\d\d a month to keep/);
  expect(stdout).toContain("Cleanup   deletes, within a day, 1 version, at most ");
  expect(stdout).toContain(`hyperion-ui@${digest}`);
});

test("who may not read is told which role it takes", async () => {
  const { stdout: token } = await sandbox.run("token", "user:mallory@example.com");
  const refused = await report({ GOOGLE_OAUTH_ACCESS_TOKEN: token.trim() });
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain("It takes roles/artifactregistry.reader on the repository.");
  expect(refused.stderr).not.toContain("    at ");
});
