import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFailed } from "vitest";
import { repositoryRoot, type SandboxPaths, sandboxPaths } from "../../sandbox/lib/paths.ts";
import { mintAccessToken, MAINTAINER } from "../../sandbox/lib/tokens.ts";
import { allProcesses, commandLine, waitUntil } from "../../sandbox/lib/processes.ts";
import { switchRegistryFaults, switchService } from "../../sandbox/services/switch.ts";
import { withBuildStep } from "../support/build-step.ts";
import { nativeBuild, nativePlatform } from "../support/native-build.ts";
import { failed, passed, stdoutOf } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { clearFaults, fault, faultsLeft, published, removeTags } from "../support/google.ts";
import { expectDeclared } from "./declared.ts";
import { expectFailure, fixAllByUp, fixByUp, pluginsOf, runAndSummarize } from "./fixing.ts";
import { seenIn } from "./seen.ts";
import { survives, survivesAll } from "./survives.ts";

/** The uploads of the user interface's layers. */
const UPLOADS = "*/hyperion-ui/blobs/uploads/*";
const MIB = 1024 * 1024;
const HOUR = 3600;

const sandbox = useSandbox();
let paths: SandboxPaths;
let storage: string;

beforeAll(() => {
  paths = sandboxPaths(sandbox.root);
  storage = paths.registry;
});

afterAll(async () => {
  if (await isMounted(storage)) passed(await sandbox.command("umount", ["--lazy", storage]));
});

describe("Registry", () => {
  survivesAll(
    [
      "500 in the middle of a blob upload",
      "connection cut in the middle of a blob upload",
      "a tag is deleted outside the stack",
    ],
    async () => {
      await removeTags(sandbox, "hyperion-coordinator-mcp", "latest");
      const preview = passed(await sandbox.tryPulumi("preview"));
      await changeLayer(3);
      onTestFailed(async () => {
        await clearFaults(sandbox);
        await switchRegistryFaults(paths);
      });
      await fault(sandbox, { kind: "registry-status", route: UPLOADS });
      await fault(sandbox, { kind: "registry-cut", route: UPLOADS, skip: 1 });
      await switchRegistryFaults(paths);
      const resent = { happened: "the engine sends the layer again", seen: "nothing" };
      const rows = await fixAllByUp(sandbox, {
        "500 in the middle of a blob upload": resent,
        "connection cut in the middle of a blob upload": resent,
        "a tag is deleted outside the stack": {
          happened: "the build keeps its other tags; a preview shows what `up` sets",
          seen: seenIn(preview, /hyperion-coordinator-mcp: latest -> sha256:/),
        },
      });
      expect(await faultsLeft(sandbox)).toEqual([]);
      return rows;
    },
  );

  const EXPIRED = "the token expires between build and push";
  const AHEAD = "tokens come from a clock that is an hour ahead of the registry's";
  const BEHIND = "tokens come from a clock that is an hour behind the registry's";
  survivesAll(["the registry is killed", EXPIRED, AHEAD, BEHIND], async () => {
    const tags = await published(sandbox);
    const login = await createLogin();
    const failDuringBuild = async (seconds: string, act: () => Promise<void>): Promise<string> => {
      await addStep(`RUN ["sleep", "${seconds}"]`);
      const up = sandbox.with({ DOCKER_CONFIG: login }).tryUp();
      const builds = () => allProcesses().some((pid) => commandLine(pid).endsWith(`sleep ${seconds}`));
      expect(await waitUntil(builds, 60_000)).toBe(true);
      await act();
      return failed(await up);
    };
    const expectNothingPushed = async () => {
      expect(await published(sandbox)).toEqual(tags);
    };

    const killed = await failDuringBuild("4.0417", async () => {
      await switchService("registry", "kill", paths);
    });
    await switchService("registry", "start", paths);
    await expectNothingPushed();

    const expired = await failDuringBuild("4.0418", () =>
      fault(sandbox, { kind: "clock-skew", seconds: 1.1 * HOUR }),
    );
    await clearFaults(sandbox);
    await expectNothingPushed();

    await fault(sandbox, { kind: "clock-skew", seconds: -1.1 * HOUR });
    const behind = await expectFailure(sandbox);
    await clearFaults(sandbox);
    await expectNothingPushed();

    return fixAllByUp(sandbox, {
      "the registry is killed": {
        happened: "nothing is pushed; the tags do not move",
        seen: seenIn(killed, /error reading push output: .*(refused|EOF)/),
      },
      [EXPIRED]: {
        happened:
          "nothing is pushed; the build stays in the engine. A credential helper gets a new token for each push",
        seen: seenIn(expired, /access token has expired/),
      },
      [AHEAD]: {
        happened: "nothing is pushed; the tags do not move",
        seen: seenIn(expired, /unauthorized|denied|Unauthenticated/),
      },
      [BEHIND]: {
        happened: "nothing is pushed; the tags do not move",
        seen: seenIn(behind, /unauthorized|denied|Unauthenticated/),
      },
    });
  });
});

// With two platforms, Docker pushes the layer that they share a second time after all tries have failed, and a push that starts
// while the registry is down fails at once.
describe("Registry, with one platform", () => {
  /** The image of the other platform remains. */
  const tags = [
    `build, ${nativeBuild}, latest`,
    nativeBuild === "build-amd64" ? "build-arm64" : "build-amd64",
  ];

  beforeAll(async () => {
    await sandbox.set({ "platforms[0]": nativePlatform });
  });

  survives("the registry's disk is full", async (skip) => {
    await switchService("registry", "stop", paths);
    try {
      await moveToSmallDisk(4);
    } catch (error) {
      await switchService("registry", "start", paths);
      return skip(`a small disk cannot be mounted here: ${String(error)}`);
    }
    await switchService("registry", "start", paths);
    await changeLayer(12);
    const output = await expectFailure(sandbox);
    expect(await readFile(join(sandbox.root, "logs/registry.out.log"), "utf8")).toContain(
      "no space left on device",
    );
    passed(await sandbox.command("mount", ["-o", "remount,size=1g", storage]));
    return fixByUp(
      sandbox,
      "the engine tries five times in 50 s; existing images stay",
      seenIn(output, /error reading push output: /),
      { tags },
    );
  });

  survives("the registry is restarted during a push", async () => {
    await changeLayer(60);
    const before = await uploads();
    const up = runAndSummarize(sandbox, "up");
    const started = async () => (await uploads()).some((upload) => !before.includes(upload));
    expect(await waitUntil(started, 60_000)).toBe(true);
    await switchService("registry", "kill", paths);
    await switchService("registry", "start", paths);
    const next = await up;
    await expectDeclared(sandbox, { tags });
    return {
      happened: "the engine sends the layer again",
      seen: "nothing",
      next: `the same ${next}`,
      plugins: pluginsOf(sandbox),
    };
  });
});

/** Adds a step to the user interface's Dockerfile that no cache has. */
async function addStep(run: string): Promise<void> {
  const dockerfile = join(sandbox.sources, "coordinator/ui/Dockerfile");
  const original = await readFile(join(repositoryRoot, "sandbox/hyperion/coordinator/ui/Dockerfile"), "utf8");
  await writeFile(dockerfile, withBuildStep(original, run));
}

/** Replaces a file of the user interface by random data, which cannot be compressed. */
async function changeLayer(mebibytes: number): Promise<void> {
  const file = join(sandbox.sources, "coordinator/ui/src/data.bin");
  await writeFile(file, randomBytes(mebibytes * MIB));
}

/** Moves the registry's data to a disk with this much free space. */
async function moveToSmallDisk(mebibytes: number): Promise<void> {
  const aside = join(sandbox.scratch, "registry-before");
  await cp(storage, aside, { recursive: true, preserveTimestamps: true });
  const used = parseInt(stdoutOf(await sandbox.command("du", ["-sm", aside])));
  const size = `size=${used + mebibytes}m`;
  passed(await sandbox.command("mount", ["-t", "tmpfs", "-o", size, "tmpfs", storage]));
  await cp(aside, storage, { recursive: true, preserveTimestamps: true });
}

async function isMounted(folder: string): Promise<boolean> {
  return (await readFile("/proc/self/mountinfo", "utf8")).includes(` ${folder} `);
}

/** The uploads of the user interface that have data. Interrupted uploads remain. */
async function uploads(): Promise<string[]> {
  const image = sandbox.registry.replace(/^[^/]*\//, "");
  const folder = join(storage, "docker/registry/v2/repositories", image, "hyperion-ui/_uploads");
  const names = existsSync(folder) ? await readdir(folder) : [];
  const sizes = await Promise.all(
    names.map((name) => stat(join(folder, name, "data")).catch(() => undefined)),
  );
  return names.filter((_, index) => (sizes[index]?.size ?? 0) > 0);
}

/** Creates a Docker configuration with a login, which expires after an hour. */
async function createLogin(): Promise<string> {
  const host = sandbox.registry.replace(/\/.*/, "");
  const folder = await mkdtemp(join(sandbox.scratch, "login-"));
  const token = await mintAccessToken(sandbox.root, MAINTAINER);
  const auth = Buffer.from(`oauth2accesstoken:${token}`).toString("base64");
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }), {
    mode: 0o600,
  });
  return folder;
}
