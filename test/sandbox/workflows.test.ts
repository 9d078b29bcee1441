import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, test } from "vitest";
import { passed } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { type Github, REPOSITORY, useGithub } from "../support/workflows.ts";

// Every workflow of .github, run by act: expressions, conditions, outputs of jobs, actions of this repository. Actions of
// others are stood in for (test/support/workflows.ts). Not modelled: environments (the OIDC token names the job's),
// concurrency, permissions of `github.token` in a step that runs commands.

const sandbox = useSandbox();
let github: Github;
/** Where the two states are. */
let registry: string;
let images: string;

beforeAll(async () => {
  [registry = "", images = ""] = ["registry", "images"].map(
    (name) => `file://${sandbox.scratch}/state-${name}`,
  );
  for (const url of [registry, images]) await mkdir(url.slice("file://".length));
  github = await useGithub(sandbox, async (folder) => {
    await cp(join(sandbox.sources, "coordinator"), join(folder, "coordinator"), { recursive: true });
    await writeFile(join(folder, "scripts/install-pulumi.sh"), INSTALL, { mode: 0o755 });
  });
  await github.pulumi(registry, "stack", "init", "production");
  const settings = {
    githubRepository: REPOSITORY,
    githubRepositoryId: "901234567",
    githubOwnerId: "123456789",
    ciCanPublish: "true",
  };
  for (const [name, value] of Object.entries(settings))
    await github.pulumi(registry, "config", "set", "--stack", "production", name, value);
  await github.pulumi(registry, "up", "--stack", "production", "--yes", "--skip-preview");
  await github.pulumi(images, "stack", "init", "production-images", "--no-select");
  const output = (name: string): Promise<string> =>
    github.pulumi(registry, "stack", "output", name, "--stack", "production");
  Object.assign(github.vars, {
    WORKLOAD_IDENTITY_PROVIDER: await output("workloadIdentityProvider"),
    CI_SERVICE_ACCOUNT: await output("ciServiceAccountEmail"),
    PREVIEW_SERVICE_ACCOUNT: await output("previewServiceAccountEmail"),
    PULUMI_BACKEND_URL: registry,
    PULUMI_IMAGES_BACKEND_URL: images,
  });
  await github.push();
}, 900_000);

const INSTALL = `#!/bin/sh
printf '%s\\n' PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true PULUMI_IGNORE_AMBIENT_PLUGINS=true >>"$GITHUB_ENV"
`;

describe("publish.yml", () => {
  test("publishes main under its commit", async () => {
    const outcome = await github.run("publish.yml");
    passed(outcome);
  });
});
