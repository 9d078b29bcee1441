import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { makeOld } from "../support/age.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

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
  cleanup: { policies: Record<string, { action: string }>; dryRun: boolean; deletes: Version[] };
}

const sandbox = useSandbox();

/** Runs `npm run report -- --stack STACK WORDS` in the sandbox's shell. */
const report = (env: NodeJS.ProcessEnv, stack = "sandbox", ...words: string[]) =>
  sandbox.command("npm", ["run", "--silent", "report", "--", "--stack", stack, ...words], env);

async function json(): Promise<Report> {
  return JSON.parse((await report({}, "sandbox", "--json")).stdout) as Report;
}

test("reports the contents of the registry, with shared layers counted once", async () => {
  const { url, versions, storedBytes, cleanup } = await json();
  expect(url).toBe(await sandbox.output("registryUrl"));
  expect(versions.map(({ image, tags }) => `${image} ${[...tags].sort().join(" ")}`).sort()).toEqual(
    images
      .flatMap(({ name }) => ["build latest", "build-amd64", "build-arm64"].map((tags) => `${name} ${tags}`))
      .sort(),
  );
  // The two servers share a base image per platform, which is most of their size.
  const platforms = versions.filter(({ tags }) => /^build-a.*64$/.test(tags[0] ?? ""));
  const sizeOf = (some: readonly Version[]) => some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const sharing = sizeOf(platforms.filter(({ image }) => image === "hyperion-http-bridge"));
  expect(storedBytes).toBeGreaterThan(sizeOf(platforms) - sharing * 1.1);
  expect(storedBytes).toBeLessThan(sizeOf(platforms) - sharing * 0.9);
  expect(cleanup).toMatchObject({ dryRun: false, deletes: [] });
});

test("reports that cleanup would delete an old untagged version, once newer ones fill the count", async () => {
  const before = await json();
  const isLatest = ({ image, tags }: Version) => image === "hyperion-ui" && tags.includes("latest");
  const { digest = "" } = before.versions.find(isLatest) ?? {};
  await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n// changed\n");
  await sandbox.set({ cleanupKeepCount: "1", version: "1.0.0", cleanupDryRun: "true" });
  await sandbox.up();
  const young = await json();
  // An index and two platforms of each image, and the earlier ones of the image that changed.
  const count = 3 * images.length + 3;
  expect(young.versions).toHaveLength(count);
  // Only one layer of the changed image is new; a whole image would add many megabytes.
  expect(young.storedBytes).toBeGreaterThan(before.storedBytes);
  expect(young.storedBytes - before.storedBytes).toBeLessThan(100_000);
  expect(young.cleanup).toMatchObject({ dryRun: true, deletes: [] });

  await makeOld(sandbox, digest, 20);
  const old = await json();
  expect(old.cleanup.deletes.map((version) => version.digest)).toEqual([digest]);
  expect(Object.keys(old.cleanup.policies).sort()).toEqual([
    "delete-builds",
    "delete-untagged",
    "keep-recent",
    "keep-releases",
  ]);
  const { stdout } = await report({});
  expect(stdout).toContain(`${count} versions of ${images.length} images`);
  expect(stdout).toMatch(/│ hyperion-ui +│ 1, 1\.0, 1\.0\.0, build, build-1\.0\.0, latest, v1\.0\.0 +│/);
  expect(stdout).toMatch(
    /│ hyperion-ui +│ \(none\) +│ sha256:[0-9a-f]{12} │ amd64, arm64 │ [\d.]+ \w+ │ 20 days │/,
  );
  expect(stdout).toMatch(/Cost {6}about \$0\.\d\d a month to keep/);
  expect(stdout).toContain("Cleanup   cleanupDryRun is on: nothing is deleted, only logged");
  expect(stdout).toContain(
    "delete-builds: deletes tagged versions older than 77 days, unless another policy keeps them",
  );
  expect(stdout).toContain("would delete 1 version, at most ");
  expect(stdout).toContain(`hyperion-ui@${digest}`);
});

test("reports a project that is not provisioned, with the command that fixes it", async () => {
  const { code, output } = await report({}, "production");
  expect(code).toBe(1);
  expect(output).toContain(
    "the Artifact Registry API is not enabled. Enable it: gcloud services enable artifactregistry.googleapis.com --project=production-471918",
  );
  const unknown = await report({}, "staging");
  expect(unknown.code).toBe(1);
  expect(unknown.output).toContain(
    "Pulumi.staging.yaml does not exist; the stacks are production, production-images, sandbox",
  );
});

test("reports the missing role to a person who cannot read", async () => {
  const { stdout: token } = await sandbox.run("token", "user:mallory@example.com");
  const refused = await report({ GOOGLE_OAUTH_ACCESS_TOKEN: token.trim() });
  expect(refused.code).toBe(1);
  expect(refused.output).toContain(
    "It takes roles/artifactregistry.reader on the repository, which its owner grants: gcloud artifacts repositories add-iam-policy-binding hyperion-public --project=hyperion-sandbox --location=us-central1 --member=user:EMAIL",
  );
  expect(refused.output).not.toContain("    at ");
});
