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
  digestOf,
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
import { runBlock } from "../../support/run-block.ts";
import type { Outcome } from "../../support/sandbox.ts";
import { useSandbox } from "../../support/shared-sandbox.ts";
import { dockerConfig, entriesOf, expectMessage, fixOf } from "./document.ts";

const entries = new Map([...entriesOf("Run Pulumi"), ...entriesOf("Continuous integration")]);

/** As the documents name this test. */
const THIS = "test/sandbox/troubleshooting/pulumi.test.ts";

const sandbox = useSandbox();

/** Waits for a command that has to fail; returns its output. */
const expectFailure = async (outcome: Promise<Outcome>) => failed(await outcome);
const expectSuccess = async (outcome: Promise<Outcome>) => passed(await outcome);

const previewWith = (variables: NodeJS.ProcessEnv) => sandbox.command("pulumi", ["preview"], variables);

const settingsFile = () => join(sandboxPaths(sandbox.root).project, "Pulumi.sandbox.yaml");

/** Runs `work` with these settings, then restores the settings. */
async function withSettings<T>(
  settings: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = await readFile(settingsFile(), "utf8");
  await sandbox.set(settings);
  try {
    return await work();
  } finally {
    await writeFile(settingsFile(), before);
  }
}

/** Runs `work` with changed sources, then restores them from git. */
async function withSources<T>(change: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    await change();
    return await work();
  } finally {
    const restore = "git reset -q --hard && git clean -fdxq";
    await expectSuccess(sandbox.command("bash", ["-c", restore], {}, { cwd: sandbox.sources }));
  }
}

/** A socket without an engine. */
const noEngine = (): string => `unix://${sandbox.scratch}/none.sock`;

const latest = (): string => `${sandbox.registry}/hyperion-ui:latest`;

const OURS = "HyperionWave-AI/dev-squad";

const uiSource = (file: string): string => join(sandbox.sources, "coordinator/ui", file);

/** The entries whose fix was run. */
const fixed = new Set<string>();

/** Runs the commands of an entry's fix, which have to succeed; returns their output. */
async function fix(heading: string, variables: NodeJS.ProcessEnv = {}): Promise<string> {
  const commands = fixOf(entries.get(heading) ?? "", THIS);
  if (commands === undefined) throw new Error(`${heading}: has no commands for this test`);
  fixed.add(heading);
  return expectSuccess(runBlock(sandbox, commands, variables));
}

/** Restores the sandbox after a failed scene, so that later scenes that do not build on it pass. */
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
  await sandbox.set({ "readers[0]": "user:killed@example.com" });
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
  const { workloadIdentityProvider: provider, ciServiceAccountEmail: account } = JSON.parse(
    await sandbox.pulumi("stack", "output", "--json"),
  ) as { workloadIdentityProvider: string; ciServiceAccountEmail: string };
  const token = await githubToken(sandbox, provider, run);
  return (await impersonate(sandbox, provider, token, account)).text();
}

/** What is wrong with a run of Pulumi. A run reports all problems of one kind at once, so it can show several entries. */
interface Scene {
  /** The headings of these entries. */
  shows: readonly string[];
  /** Returns the output with the messages. */
  provoke: () => Promise<string>;
}

const scenes: Record<string, Scene> = {
  "Node.js reports an older version, because none is installed": {
    shows: ["Node.js is too old"],
    provoke: () => {
      const pretend = join(repositoryRoot, "start", "old-node.fixture.cjs");
      return expectFailure(previewWith({ NODE_OPTIONS: `--require ${pretend}` }));
    },
  },

  "a word instead of a number": {
    shows: ["A setting has the wrong type"],
    provoke: async () => {
      await sandbox.set({ cleanupKeepCount: "ten" });
      const output = await expectFailure(sandbox.tryPulumi("preview"));
      await fix("A setting has the wrong type");
      return output;
    },
  },

  "changed sources of a public registry": {
    shows: [
      "The engine cannot run a platform",
      "The build context has untracked files",
      "The build context has a possible secret",
      "Line endings or file modes differ from git",
    ],
    provoke: async () => {
      const output = await withSources(
        async () => {
          const dockerfile = "FROM --platform=linux/sparc64 hyperion-sandbox-base:24\nRUN true\n";
          await writeFile(uiSource("Dockerfile"), dockerfile);
          await rm(uiSource(".dockerignore"));
          await writeFile(uiSource("report.html"), "");
          await writeFile(uiSource(".env"), "");
          const page = uiSource("src/index.html");
          await writeFile(page, (await readFile(page, "utf8")).replaceAll("\n", "\r\n"));
          await chmod(uiSource("nginx.conf"), 0o777);
        },
        () => withSettings({ publicAccess: "true" }, () => expectFailure(sandbox.tryPulumi("preview"))),
      );
      // The platform and the secret. The rest are warnings.
      expect(output).toContain("2 problems; nothing was changed.");
      return output;
    },
  },

  "an engine that only the docker command finds": {
    shows: ["Docker uses another socket"],
    provoke: async () => {
      const DOCKER_CONFIG = await dockerConfig(sandbox, {});
      const engine = sandbox.env["DOCKER_HOST"] ?? "";
      const context = (...words: string[]) =>
        expectSuccess(
          sandbox.command("docker", ["context", ...words], { DOCKER_CONFIG, DOCKER_HOST: undefined }),
        );
      await context("create", "rootless", "--docker", `host=${engine}`);
      await context("use", "rootless");
      const output = await expectFailure(previewWith({ DOCKER_CONFIG, DOCKER_HOST: noEngine() }));
      expect(output).toContain(`fix:     export DOCKER_HOST=${engine}\n`);
      return output;
    },
  },

  "a Docker configuration that names a helper that is not installed": {
    shows: ["The credential helper is not installed"],
    provoke: async () => {
      const credHelpers = { [sandbox.registry.replace(/\/.*/, "")]: "nowhere" };
      return expectFailure(previewWith({ DOCKER_CONFIG: await dockerConfig(sandbox, { credHelpers }) }));
    },
  },

  // The race cannot be provoked: a build step prints the engine's message. CI's script then repeats the command once.
  "a build step that prints the message of an engine that lost a layer": {
    shows: ["The engine lost a layer of a build"],
    provoke: async () => {
      const output = await withSources(
        async () => {
          const file = uiSource("Dockerfile");
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
      return output;
    },
  },

  "a push by a reader": {
    shows: ["The push is denied"],
    provoke: async () => {
      const reader = "user:dana@example.com";
      await grant(sandbox, "roles/artifactregistry.reader", reader);
      const image = `${sandbox.registry}/hyperion-ui:${nativeBuild}`;
      const principal = { HYPERION_SANDBOX_PRINCIPAL: reader };
      const output = await expectFailure(sandbox.command("docker", ["push", image], principal));
      await removeMember(sandbox, reader);
      return output;
    },
  },

  "a deleted tag of a version, in a preview without a login": {
    shows: ["A tag was deleted", "Docker has no login for the registry"],
    provoke: async () => {
      await sandbox.set({ version: "1.4.2" });
      await sandbox.up();
      await removeTags(sandbox, "hyperion-ui", "latest");
      expect(await expectFailure(sandbox.docker("pull", latest()))).toContain("not found");
      return expectSuccess(previewWith({ DOCKER_CONFIG: await dockerConfig(sandbox, {}) }));
    },
  },

  "the next up, with changed sources": {
    shows: ["The sources differ from the version"],
    provoke: async () => {
      const published = await digestOf(sandbox, "hyperion-ui", "1.4.2");
      await appendFile(uiSource("src/index.html"), "\n// changed\n");
      const output = await expectSuccess(sandbox.tryUp());
      // It sets the deleted tag too, on the published version.
      await expectSuccess(sandbox.docker("pull", latest()));
      for (const tag of ["latest", "1.4.2"])
        expect(await digestOf(sandbox, "hyperion-ui", tag)).toBe(published);
      return output;
    },
  },

  "a deleted identity pool, in a preview with a credential store without a login": {
    shows: ["The identity pool was deleted", "The credential helper has no login"],
    provoke: async () => {
      // As an up creates it and a destroy leaves it.
      await service(sandbox, "iam", "enable");
      const description = "GitHub Actions (Pulumi stack hyperion-registry/sandbox)";
      await google(sandbox, "POST", `${POOLS}?workloadIdentityPoolId=hyperion-github`, { description });
      await google(sandbox, "DELETE", `${POOLS}/hyperion-github`);
      const bin = await mkdtemp(join(sandbox.scratch, "bin-"));
      const helper =
        "#!/bin/sh\n[ $1 = list ] && echo '{}' && exit\necho 'credentials not found in native keychain'\nexit 1\n";
      await writeFile(join(bin, "docker-credential-desktop"), helper, { mode: 0o755 });
      const shell = {
        DOCKER_CONFIG: await dockerConfig(sandbox, { credsStore: "desktop" }),
        PATH: `${bin}:${sandbox.env["PATH"] ?? ""}`,
      };
      return withSettings({ githubRepository: OURS }, () => expectSuccess(previewWith(shell)));
    },
  },

  "a deleted image": {
    shows: ["An image was deleted"],
    provoke: async () => {
      await google(sandbox, "DELETE", `${PACKAGES}/hyperion-ui`);
      const output = await expectFailure(sandbox.tryPulumi("preview"));
      expect(await fix("An image was deleted")).toContain(
        "1.4.2 does not include hyperion-ui. The next version does.",
      );
      await expectSuccess(sandbox.docker("pull", latest()));
      return output;
    },
  },

  "a stack of images without a repository": {
    shows: ["The repository to publish to does not exist"],
    provoke: async () => {
      await initImagesStack(sandbox, { repositoryId: "other" });
      const output = await expectFailure(sandbox.tryPulumi("preview", "--stack", "images"));
      expect(output).toContain("1 problem; nothing was changed.");
      expect(output).toMatch(/found: {3}the repository cannot be read: \S+\/repositories\/other not found\n/);
      expect(output).toContain("fix:     npm run pulumi -- up --stack production");
      await sandbox.pulumi("stack", "rm", "images", "--yes");
      await sandbox.pulumi("stack", "select", "sandbox");
      return output;
    },
  },

  // Its fix sets publishImages to false. From here on, the stack manages the registry alone, which is faster.
  "no engine, and sources of another user, which git does not read": {
    shows: ["No Docker engine answers", "Git refuses to read the sources"],
    provoke: async () => {
      const DOCKER_HOST = noEngine();
      const output = await withSettings({ publicAccess: "true" }, () =>
        // The variable with which git's own tests simulate another owner of the files.
        expectFailure(previewWith({ DOCKER_HOST, GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" })),
      );
      expect(output).toContain("2 problems; nothing was changed.");
      await fix("No Docker engine answers", { DOCKER_HOST });
      return output;
    },
  },

  "resources of others, and an organization policy": {
    shows: ["A resource already exists", "Public access is refused"],
    provoke: async () => {
      await google(sandbox, "POST", `${POOLS}/hyperion-github:undelete`, {});
      await google(sandbox, "PATCH", `${POOLS}/hyperion-github?updateMask=description`, {
        description: "By hand",
      });
      const others = "Images (Pulumi stack hyperion-registry/second)";
      await google(sandbox, "POST", `${PROJECT}/locations/us-central1/repositories?repositoryId=others`, {
        format: "DOCKER",
        description: others,
      });
      await service(sandbox, "orgpolicy", "enable");
      await expectSuccess(sandbox.run("org-policy", "deny"));
      await sandbox.set({ githubRepository: OURS });
      const program = await withSettings({ repositoryId: "others", publicAccess: "true" }, () =>
        expectFailure(sandbox.tryPulumi("preview")),
      );
      const binding = { role: "roles/artifactregistry.reader", members: ["allUsers"] };
      const byHand = await sandbox.google("POST", `${REPOSITORY}:setIamPolicy`, {
        policy: { bindings: [binding] },
      });
      await expectSuccess(sandbox.run("org-policy", "allow"));
      await fix("A resource already exists");
      return `${program}\n${JSON.stringify(byHand.body)}`;
    },
  },

  "a workflow of another repository": {
    shows: ["GitHub's token is refused"],
    provoke: () => federate({ repository: "eve/dev-squad" }),
  },

  "a workflow of a branch that is not in githubRefs": {
    shows: ["The workflow cannot use the service account"],
    provoke: async () => {
      const run = { environment: "production" };
      expect(await federate(run)).toContain("accessToken");
      const branch = { ...run, ref: "refs/heads/release/1.4" };
      const output = await federate(branch);
      await fix("The workflow cannot use the service account");
      expect(await federate(branch)).toContain("accessToken");
      return output;
    },
  },

  "a repository with a key, and an exception from the organization policy without a quota project": {
    shows: ["The repository would be replaced", "The login has no quota project"],
    provoke: async () => {
      const kmsKeyName = "projects/hyperion-sandbox/locations/us-central1/keyRings/r/cryptoKeys/k";
      const path = `${PROJECT}/locations/us-central1/repositories?repositoryId=with-key`;
      await google(sandbox, "POST", path, { format: "DOCKER", kmsKeyName });
      await sandbox.set({ publicAccess: "true", overrideDomainRestrictedSharing: "true" });
      const own = { USER_PROJECT_OVERRIDE: undefined, GOOGLE_BILLING_PROJECT: undefined };
      const output = await withSettings({ repositoryId: "with-key", adoptExisting: "true" }, () =>
        expectFailure(sandbox.command("pulumi", ["up", "--yes", "--skip-preview"], own)),
      );
      expect(output).toContain("2 problems; nothing was changed.");
      await fix("The login has no quota project", own);
      await sandbox.set({ publicAccess: "false", overrideDomainRestrictedSharing: "false" });
      return output;
    },
  },

  "a reader that does not exist": {
    shows: ["A member does not exist"],
    provoke: async () => {
      await sandbox.set({ "readers[0]": "group:gone@example.com", "readers[1]": "user:dana@example.com" });
      const output = await expectFailure(sandbox.tryUp());
      await fix("A member does not exist");
      return output;
    },
  },

  "an expired token": {
    shows: ["Google's login has expired"],
    provoke: async () =>
      expectFailure(
        sandbox.command("pulumi", ["refresh", "--yes"], {
          GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(sandbox.root, MAINTAINER, -1),
        }),
      ),
  },

  "an API that was disabled": {
    shows: ["An API is disabled"],
    provoke: async () => {
      await service(sandbox, "artifactregistry", "disable");
      const output = await expectFailure(sandbox.tryPulumi("refresh", "--yes"));
      await sandbox.expectNoChanges();
      await fix("An API is disabled");
      return output;
    },
  },

  "an up that was killed": {
    shows: ["The stack is locked", "The stack stays locked", "An update was interrupted"],
    provoke: async () => {
      await killUp();
      const up = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "sandbox"];
      const retry = ["--for", "1", "--every", "1", ...up];
      const locked = await expectFailure(sandbox.command("scripts/retry-when-locked.sh", retry));
      await expectSuccess(sandbox.tryPulumi("preview"));
      await expectSuccess(sandbox.tryPulumi("cancel", "--yes"));
      const interrupted = await expectSuccess(sandbox.tryUp());
      expect(await expectSuccess(sandbox.tryUp())).toContain("pending operations");
      const [, cleared] = (await fix("An update was interrupted")).split("Updating (sandbox)");
      expect(cleared).toBeDefined();
      expect(cleared).not.toContain("pending operations");
      return `${locked}\n${interrupted}`;
    },
  },

  "a destroy of a protected repository": {
    shows: ["The repository is protected"],
    provoke: async () => {
      await sandbox.set({ protect: "true" });
      await sandbox.up();
      const output = await expectFailure(sandbox.tryPulumi("destroy", "--yes"));
      await sandbox.set({ protect: "false" });
      return output;
    },
  },

  "no passphrase, and another one": {
    shows: ["The passphrase is wrong or lost"],
    provoke: async () => {
      const none = { PULUMI_CONFIG_PASSPHRASE_FILE: undefined };
      const missing = await expectFailure(sandbox.command("pulumi", ["preview", "--non-interactive"], none));
      await writeFile(sandboxPaths(sandbox.root).passphrase, "another one", { mode: 0o600 });
      const wrong = await expectFailure(sandbox.tryPulumi("preview"));
      await fix("The passphrase is wrong or lost");
      return `${missing}\n${wrong}`;
    },
  },
};

test("shows every entry once", () => {
  const shown = Object.values(scenes).flatMap(({ shows }) => shows);
  expect(shown.sort()).toEqual([...entries.keys()].sort());
});

test.for(Object.entries(scenes))("%s", async ([, { shows, provoke }]) => {
  const settings = await readFile(settingsFile(), "utf8");
  onTestFailed(() => restore(settings));
  const output = await provoke();
  for (const heading of shows) expectMessage(entries.get(heading) ?? "", output);
});

test("runs the commands of every fix", () => {
  const withCommands = [...entries].filter(([, entry]) => fixOf(entry, THIS) !== undefined);
  expect([...fixed].sort()).toEqual(withCommands.map(([heading]) => heading).sort());
});
