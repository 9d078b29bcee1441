import { nativeBuild } from "../../support/native-build.ts";
import { appendFile, chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFailed, test } from "vitest";
import type { GithubRun } from "../../../sandbox/emulator/support/github-issuer.ts";
import { mintAccessToken, MAINTAINER } from "../../../sandbox/lib/tokens.ts";
import { repositoryRoot, sandboxPaths } from "../../../sandbox/lib/paths.ts";
import { signal } from "../../../sandbox/lib/processes.ts";
import { withBuildStep } from "../../support/build-step.ts";
import { githubToken, impersonate } from "../../support/federation.ts";
import {
  google,
  grant,
  PACKAGES,
  POOLS,
  PROJECT,
  removeMember,
  removeTags,
  REPOSITORY,
  service,
} from "../../support/google.ts";
import { initImagesStack } from "../../support/images-stack.ts";
import { failed, passed } from "../../support/outcome.ts";
import { withDescendants } from "../../support/processes.ts";
import type { Outcome } from "../../support/sandbox.ts";
import { useSandbox } from "../../support/shared-sandbox.ts";
import { dockerConfig, entriesOf, expectMessage, type Provocations } from "./document.ts";

const entries = new Map([...entriesOf("Run Pulumi"), ...entriesOf("Continuous integration")]);

const sandbox = useSandbox();

/** Waits for a command that has to fail; returns its output. */
const expectFailure = async (outcome: Promise<Outcome>) => failed(await outcome);
const expectSuccess = async (outcome: Promise<Outcome>) => passed(await outcome);

/** Provokes a message with changed sources, then restores them from git. */
async function withChangedSources(
  change: () => Promise<void>,
  provoke: () => Promise<string>,
): Promise<string> {
  try {
    await change();
    return await provoke();
  } finally {
    const restore = "git reset -q --hard && git clean -fdxq";
    await expectSuccess(sandbox.command("bash", ["-c", restore], {}, { cwd: sandbox.sources }));
  }
}

/** How often an `up` was killed. */
let kills = 0;

const settingsFile = () => join(sandboxPaths(sandbox.root).project, "Pulumi.sandbox.yaml");

/** Restores the sandbox after a failed entry, so that later entries do not fail too. */
async function restore(settings: string): Promise<void> {
  await expectSuccess(sandbox.run("fault", "clear"));
  await expectSuccess(sandbox.run("org-policy", "allow"));
  await service(sandbox, "artifactregistry", "enable");
  await writeFile(settingsFile(), settings);
  await sandbox.pulumi("stack", "select", "sandbox");
  await sandbox.tryPulumi("cancel", "--yes");
  await sandbox.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates");
  await sandbox.up();
}

/** Kills `pulumi up` with SIGKILL while it creates a new grant, which stays in the settings. */
async function killUp(): Promise<void> {
  const fault = ["status", "status=503", "method=POST", "route=*:setIamPolicy", "times=null"];
  await expectSuccess(sandbox.run("fault", "set", ...fault));
  await sandbox.set({ "readers[0]": `user:reader${(kills += 1)}@example.com` });
  const running = sandbox.start("pulumi", ["up", "--yes", "--skip-preview"]);
  // From then on, the state has the pending operation.
  const state = join(sandboxPaths(sandbox.root).stacks, "sandbox.json");
  await expect.poll(() => readFile(state, "utf8"), { timeout: 60_000 }).toContain('"pending_operations"');
  // Without its engine, the program could run for ever.
  for (const pid of withDescendants(running.pid)) signal(pid, "SIGKILL");
  expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
  await expectSuccess(sandbox.run("fault", "clear"));
}

/** Impersonates the CI account with the token of this workflow run; returns Google's answer. */
async function federate(run: GithubRun): Promise<string> {
  const provider = await sandbox.output("workloadIdentityProvider");
  const token = await githubToken(sandbox, provider, run);
  const account = await sandbox.output("ciServiceAccountEmail");
  return (await impersonate(sandbox, provider, token, account)).text();
}

const provocations: Provocations = {
  "Node.js is too old": async () => {
    // Node.js reports an older version, because none is installed.
    const pretend = join(repositoryRoot, "start", "old-node.fixture.cjs");
    return expectFailure(sandbox.command("pulumi", ["preview"], { NODE_OPTIONS: `--require ${pretend}` }));
  },
  "A setting has the wrong type": async () => {
    const settings = await readFile(settingsFile(), "utf8");
    await sandbox.set({ cleanupKeepCount: "ten" });
    const output = await expectFailure(sandbox.tryPulumi("preview"));
    await writeFile(settingsFile(), settings);
    return output;
  },
  "No Docker engine answers": async () => {
    const output = await expectFailure(
      sandbox.command("pulumi", ["preview"], { DOCKER_HOST: `unix://${sandbox.scratch}/none.sock` }),
    );
    expect(output).toContain("nothing was changed");
    return output;
  },
  "Docker uses another socket": async () => {
    const DOCKER_CONFIG = await dockerConfig(sandbox, {});
    const context = (...words: string[]): Promise<string> =>
      expectSuccess(
        sandbox.command("docker", ["context", ...words], { DOCKER_CONFIG, DOCKER_HOST: undefined }),
      );
    await context("create", "rootless", "--docker", `host=${sandbox.env["DOCKER_HOST"] ?? ""}`);
    await context("use", "rootless");
    const DOCKER_HOST = `unix://${sandbox.scratch}/none.sock`;
    const output = await expectFailure(
      sandbox.command("pulumi", ["preview"], { DOCKER_CONFIG, DOCKER_HOST }),
    );
    expect(output).toContain(`fix:     export DOCKER_HOST=${sandbox.env["DOCKER_HOST"] ?? ""}\n`);
    return output;
  },
  "Docker has no login for the registry": async () =>
    expectSuccess(sandbox.command("pulumi", ["preview"], { DOCKER_CONFIG: await dockerConfig(sandbox, {}) })),
  "The credential helper is not installed": async () => {
    const credHelpers = { [sandbox.registry.replace(/\/.*/, "")]: "nowhere" };
    return expectFailure(
      sandbox.command("pulumi", ["preview"], { DOCKER_CONFIG: await dockerConfig(sandbox, { credHelpers }) }),
    );
  },
  "The credential helper has no login": async () => {
    const bin = await mkdtemp(join(sandbox.scratch, "bin-"));
    const helper =
      "#!/bin/sh\n[ $1 = list ] && echo '{}' && exit\necho 'credentials not found in native keychain'\nexit 1\n";
    await writeFile(join(bin, "docker-credential-desktop"), helper, { mode: 0o755 });
    return expectSuccess(
      sandbox.command("pulumi", ["preview"], {
        DOCKER_CONFIG: await dockerConfig(sandbox, { credsStore: "desktop" }),
        PATH: `${bin}:${sandbox.env["PATH"] ?? ""}`,
      }),
    );
  },
  "The engine cannot run a platform": () =>
    withChangedSources(
      () =>
        writeFile(
          join(sandbox.sources, "coordinator/ui/Dockerfile"),
          "FROM --platform=linux/sparc64 hyperion-sandbox-base:24\nRUN true\n",
        ),
      () => expectFailure(sandbox.tryPulumi("preview")),
    ),
  // The race cannot be provoked: a build step prints the engine's message. CI's script then repeats the command once.
  "The engine lost a layer of a build": async () => {
    const output = await withChangedSources(
      async () => {
        const file = join(sandbox.sources, "coordinator/ui/Dockerfile");
        const message =
          "failed to prepare extraction snapshot extract-1: parent snapshot sha256:e6 does not exist: not found";
        await writeFile(file, withBuildStep(await readFile(file, "utf8"), `RUN echo ${message} && exit 1`));
      },
      () => {
        const up = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "sandbox"];
        return expectFailure(sandbox.command("scripts/retry-when-locked.sh", up));
      },
    );
    expect(output.match(/trying once more$/gm)).toHaveLength(1);
    await sandbox.up();
    return output;
  },
  "The build context has untracked files": () =>
    withChangedSources(
      async () => {
        await rm(join(sandbox.sources, "coordinator/ui/.dockerignore"));
        await writeFile(join(sandbox.sources, "coordinator/ui/report.html"), "");
      },
      () => expectSuccess(sandbox.tryPulumi("preview")),
    ),
  "The build context has a possible secret": async () => {
    await sandbox.set({ publicAccess: "true" });
    const output = await withChangedSources(
      () => writeFile(join(sandbox.sources, "coordinator/ui/.env"), ""),
      () => expectFailure(sandbox.tryPulumi("preview")),
    );
    await sandbox.unset("publicAccess");
    return output;
  },
  "Git refuses to read the sources": async () => {
    await sandbox.set({ publicAccess: "true" });
    const output = await withChangedSources(
      async () => {},
      // The variable with which git's own tests simulate another owner of the files.
      () => expectFailure(sandbox.command("pulumi", ["preview"], { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" })),
    );
    await sandbox.unset("publicAccess");
    return output;
  },
  "Line endings or file modes differ from git": () =>
    withChangedSources(
      async () => {
        const page = join(sandbox.sources, "coordinator/ui/src/index.html");
        await writeFile(page, (await readFile(page, "utf8")).replaceAll("\n", "\r\n"));
        await chmod(join(sandbox.sources, "coordinator/ui/nginx.conf"), 0o777);
      },
      () => expectSuccess(sandbox.tryPulumi("preview")),
    ),
  "The push is denied": async () => {
    const reader = "user:dana@example.com";
    await grant(sandbox, "roles/artifactregistry.reader", reader);
    const image = `${sandbox.registry}/hyperion-ui:${nativeBuild}`;
    const principal = { HYPERION_SANDBOX_PRINCIPAL: reader };
    const output = await expectFailure(sandbox.command("docker", ["push", image], principal));
    await removeMember(sandbox, reader);
    return output;
  },
  "Google's login has expired": async () =>
    expectFailure(
      sandbox.command("pulumi", ["refresh", "--yes"], {
        GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(sandbox.root, MAINTAINER, -1),
      }),
    ),
  "An API is disabled": async () => {
    await service(sandbox, "artifactregistry", "disable");
    const output = await expectFailure(sandbox.tryPulumi("refresh", "--yes"));
    await sandbox.expectNoChanges();
    await service(sandbox, "artifactregistry", "enable");
    await sandbox.pulumi("refresh", "--yes");
    return output;
  },
  "Public access is refused": async () => {
    await service(sandbox, "orgpolicy", "enable");
    await expectSuccess(sandbox.run("org-policy", "deny"));
    await sandbox.set({ publicAccess: "true" });
    const program = await expectFailure(sandbox.tryPulumi("preview"));
    const binding = { role: "roles/artifactregistry.reader", members: ["allUsers"] };
    const byHand = await sandbox.google("POST", `${REPOSITORY}:setIamPolicy`, {
      policy: { bindings: [binding] },
    });
    await sandbox.unset("publicAccess");
    await expectSuccess(sandbox.run("org-policy", "allow"));
    return `${program}\n${JSON.stringify(byHand.body)}`;
  },
  "A member does not exist": async () => {
    await sandbox.set({ "readers[0]": "user:dana@example.com", "readers[1]": "group:gone@example.com" });
    const output = await expectFailure(sandbox.tryUp());
    await sandbox.unset("readers[1]");
    await sandbox.up();
    return output;
  },
  "The login has no quota project": async () => {
    await service(sandbox, "orgpolicy", "enable");
    await sandbox.set({ publicAccess: "true", overrideDomainRestrictedSharing: "true" });
    const own = { USER_PROJECT_OVERRIDE: undefined, GOOGLE_BILLING_PROJECT: undefined };
    const output = await expectFailure(sandbox.command("pulumi", ["up", "--yes", "--skip-preview"], own));
    expect(output).toContain("nothing was changed");
    await sandbox.up();
    await sandbox.unset("overrideDomainRestrictedSharing");
    await sandbox.unset("publicAccess");
    await sandbox.up();
    return output;
  },
  "The stack is locked": async () => {
    await killUp();
    const output = await expectFailure(sandbox.tryUp());
    await expectSuccess(sandbox.tryPulumi("preview"));
    await expectSuccess(sandbox.tryPulumi("cancel", "--yes"));
    await sandbox.up();
    return output;
  },
  "An update was interrupted": async () => {
    await killUp();
    await expectSuccess(sandbox.tryPulumi("cancel", "--yes"));
    const output = await expectSuccess(sandbox.tryUp());
    expect(await expectSuccess(sandbox.tryUp())).toContain("pending operations");
    await expectSuccess(sandbox.tryPulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates"));
    expect(await expectSuccess(sandbox.tryUp())).not.toContain("pending operations");
    return output;
  },
  "A resource already exists": async () => {
    await service(sandbox, "iam", "enable");
    await google(sandbox, "POST", `${POOLS}?workloadIdentityPoolId=hyperion-github`, {});
    await sandbox.set({ githubRepository: "HyperionWave-AI/dev-squad" });
    const byHand = await expectFailure(sandbox.tryPulumi("preview"));
    await sandbox.set({ adoptExisting: "true" });
    await sandbox.up();
    await sandbox.unset("adoptExisting");

    await sandbox.pulumi("stack", "init", "second", "--no-select");
    await sandbox.pulumi("config", "cp", "--stack", "sandbox", "--dest", "second");
    await sandbox.unset("githubRepository", "--stack", "second");
    await sandbox.set({ publishImages: "false" }, "--stack", "second");
    const another = await expectFailure(sandbox.tryPulumi("preview", "--stack", "second"));
    await sandbox.pulumi("stack", "rm", "second", "--force", "--yes");
    await sandbox.pulumi("stack", "select", "sandbox");
    return `${byHand}\n${another}`;
  },
  "The repository would be replaced": async () => {
    const kmsKeyName = "projects/hyperion-sandbox/locations/us-central1/keyRings/r/cryptoKeys/k";
    const path = `${PROJECT}/locations/us-central1/repositories?repositoryId=with-key`;
    await google(sandbox, "POST", path, { format: "DOCKER", kmsKeyName });
    const before = (await sandbox.pulumi("config", "get", "repositoryId")).trim();
    await sandbox.set({ repositoryId: "with-key", adoptExisting: "true" });
    const output = await expectFailure(sandbox.tryPulumi("preview"));
    await sandbox.set({ repositoryId: before });
    await sandbox.unset("adoptExisting");
    return output;
  },
  "The identity pool was deleted": async () => {
    await sandbox.unset("githubRepository");
    await sandbox.up();
    await sandbox.set({ githubRepository: "HyperionWave-AI/dev-squad" });
    const output = await expectSuccess(sandbox.tryPulumi("preview"));
    await sandbox.up();
    return output;
  },
  "The sources differ from the version": async () => {
    await sandbox.set({ version: "1.4.2" });
    await sandbox.up();
    await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n// changed\n");
    const changed = await expectSuccess(sandbox.tryUp());
    await sandbox.set({ version: "1.4.3" });
    await sandbox.up();
    return changed;
  },
  "A tag was deleted": async () => {
    const image = `${sandbox.registry}/hyperion-ui:latest`;
    await removeTags(sandbox, "hyperion-ui", "latest");
    const output = await expectSuccess(sandbox.tryPulumi("preview"));
    expect(await expectFailure(sandbox.docker("pull", image))).toContain("not found");
    await sandbox.up();
    await expectSuccess(sandbox.docker("pull", image));
    return output;
  },
  "An image was deleted": async () => {
    await google(sandbox, "DELETE", `${PACKAGES}/hyperion-ui`);
    const output = await expectFailure(sandbox.tryPulumi("preview"));
    expect(await sandbox.up("--replace", "**docker:index/image:Image**")).toContain(
      "1.4.3 does not include hyperion-ui. The next version does.",
    );
    await sandbox.set({ version: "1.4.4" });
    await sandbox.up();
    await expectSuccess(sandbox.docker("pull", `${sandbox.registry}/hyperion-ui:latest`));
    return output;
  },
  "The repository is protected": async () => {
    await sandbox.set({ protect: "true" });
    await sandbox.up();
    const output = await expectFailure(sandbox.tryPulumi("destroy", "--yes"));
    await sandbox.set({ protect: "false" });
    return output;
  },
  "The passphrase is wrong or lost": async () => {
    const none = { PULUMI_CONFIG_PASSPHRASE_FILE: undefined };
    const missing = await expectFailure(sandbox.command("pulumi", ["preview", "--non-interactive"], none));
    const paths = sandboxPaths(sandbox.root);
    await writeFile(paths.passphrase, "another one", { mode: 0o600 });
    const wrong = await expectFailure(sandbox.tryPulumi("preview"));

    await sandbox.pulumi("stack", "rm", "sandbox", "--force", "--yes", "--preserve-config");
    const text = await readFile(settingsFile(), "utf8");
    await writeFile(settingsFile(), text.replace(/^encryptionsalt:.*\n/m, ""));
    await sandbox.pulumi("stack", "init", "sandbox");
    await sandbox.set({ version: "1.4.5" });
    await sandbox.up();
    return `${missing}\n${wrong}`;
  },
  "GitHub's token is refused": () => federate({ repository: "eve/dev-squad" }),
  "The workflow cannot use the service account": async () => {
    const run = { environment: "production" };
    expect(await federate(run)).toContain("accessToken");
    return federate({ ...run, ref: "refs/heads/topic" });
  },
  "The repository to publish to does not exist": async () => {
    const on = ["--stack", "images"];
    await initImagesStack(sandbox, { repositoryId: "other" });
    const output = await expectFailure(sandbox.tryPulumi("preview", ...on));
    await sandbox.unset("repositoryId", ...on);
    await expectSuccess(sandbox.tryPulumi("preview", ...on));
    await sandbox.pulumi("stack", "rm", "images", "--yes");
    await sandbox.pulumi("stack", "select", "sandbox");
    return output;
  },
  "The stack stays locked": async () => {
    await killUp();
    const up = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "sandbox"];
    const retry = ["--for", "1", "--every", "1", ...up];
    const output = await expectFailure(sandbox.command("scripts/retry-when-locked.sh", retry));
    await expectSuccess(sandbox.tryPulumi("cancel", "--yes"));
    return output;
  },
};

test("provokes every entry", () => {
  expect(Object.keys(provocations)).toEqual([...entries.keys()]);
});

test.for(Object.entries(provocations))("%s", async ([heading, provoke]) => {
  const settings = await readFile(settingsFile(), "utf8");
  onTestFailed(() => restore(settings));
  expectMessage(entries.get(heading) ?? "", await provoke());
});
