import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFailed } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { mintAccessToken, MAINTAINER } from "../../sandbox/lib/tokens.ts";
import {
  allProcesses,
  commandLine,
  type ProcessIdentity,
  terminate,
  waitUntil,
} from "../../sandbox/lib/processes.ts";
import { withBuildStep } from "../support/build-step.ts";
import { nativePlatform } from "../support/native-build.ts";
import { failed, passed, stdoutOf } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { faultsLeft, published, removeTags } from "../support/google.ts";
import { expectDeclared } from "./declared.ts";
import { expectFailure, fixAllByUp, fixByUp, pluginsOf, runAndSummarize } from "./fixing.ts";
import { seenIn } from "./seen.ts";
import { survives, survivesAll } from "./survives.ts";

const UI = "route=*/hyperion-ui/blobs/uploads/*";
const MIB = 1024 * 1024;

const sandbox = useSandbox();
let storage: string;

beforeAll(() => {
  storage = join(sandbox.root, "registry");
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
        await sandbox.run("fault", "clear");
      });
      passed(await sandbox.run("fault", "set", "registry-status", UI));
      passed(await sandbox.run("fault", "set", "registry-cut", UI, "skip=1"));
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

  survivesAll(["the registry is killed", "the token expires between build and push"], async () => {
    const tags = await published(sandbox);
    await addStep('RUN ["sleep", "9.0417"]');
    const up = sandbox.tryUp();
    const builds = () => allProcesses().some((pid) => commandLine(pid).endsWith("sleep 9.0417"));
    expect(await waitUntil(builds, 60_000)).toBe(true);
    passed(await sandbox.run("fault", "registry", "kill"));
    const killed = failed(await up);
    passed(await sandbox.run("up", "--no-stack"));
    expect(await published(sandbox)).toEqual(tags);

    await addStep('RUN ["sleep", "12"]');
    const login = await createLogin(8);
    const expired = await expectFailure(sandbox.with({ DOCKER_CONFIG: login }));
    expect(await published(sandbox)).toEqual(tags);

    return fixAllByUp(sandbox, {
      "the registry is killed": {
        happened: "nothing is pushed; the tags do not move",
        seen: seenIn(killed, /error reading push output: .*(refused|EOF)/),
      },
      "the token expires between build and push": {
        happened:
          "nothing is pushed; the build stays in the engine. A credential helper gets a new token for each push",
        seen: seenIn(expired, /access token has expired/),
      },
    });
  });

  survives("the registry's disk is full", async (skip) => {
    passed(await sandbox.run("fault", "registry", "stop"));
    try {
      await moveToSmallDisk(4);
    } catch (error) {
      passed(await sandbox.run("fault", "registry", "start"));
      return skip(`a small disk cannot be mounted here: ${String(error)}`);
    }
    passed(await sandbox.run("fault", "registry", "start"));
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
    );
  });

  // Last, because the stack has one platform afterwards: a push that starts while the registry is down fails at once.
  survives("the registry is restarted during a push", async () => {
    await sandbox.set({ "platforms[0]": nativePlatform });
    await changeLayer(60);
    const before = await uploads();
    const up = runAndSummarize(sandbox, "up");
    const started = async () => (await uploads()).some((upload) => !before.includes(upload));
    expect(await waitUntil(started, 60_000)).toBe(true);
    const record = JSON.parse(
      readFileSync(join(sandbox.root, "run/registry.json"), "utf8"),
    ) as ProcessIdentity;
    await terminate(record, 0);
    passed(await sandbox.run("fault", "registry", "start"));
    const next = await up;
    const [native, other] = nativePlatform.endsWith("amd64") ? ["amd64", "arm64"] : ["arm64", "amd64"];
    await expectDeclared(sandbox, { tags: [`build, build-${native}, latest`, `build-${other}`] });
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

/** Creates a Docker configuration with a login that expires after this many seconds. */
async function createLogin(seconds: number): Promise<string> {
  const host = sandbox.registry.replace(/\/.*/, "");
  const folder = await mkdtemp(join(sandbox.scratch, "short-login-"));
  const token = await mintAccessToken(sandbox.root, MAINTAINER, seconds);
  const auth = Buffer.from(`oauth2accesstoken:${token}`).toString("base64");
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }), {
    mode: 0o600,
  });
  return folder;
}
