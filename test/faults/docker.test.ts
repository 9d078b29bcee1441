import { readFileSync } from "node:fs";
import { chmod, chown, cp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { beforeAll, describe, expect } from "vitest";
import { repositoryRoot, sandboxPaths } from "../../sandbox/lib/paths.ts";
import { allProcesses, commandLine, waitUntil } from "../../sandbox/lib/processes.ts";
import { switchService } from "../../sandbox/services/switch.ts";
import { withBuildStep } from "../support/build-step.ts";
import { published } from "../support/google.ts";
import { failed, passed } from "../support/outcome.ts";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { expectFailure, fixAllByUp, fixByUp, withoutPrompt } from "./fixing.ts";
import { seenIn } from "./seen.ts";
import { hasOwnEngine, survives, survivesAll } from "./survives.ts";

const GIB = 1024 ** 3;
const MOST_SECONDS = 120;
const MOST_MIB = 400;

const sandbox = useSandbox();
/** Folder of the user interface's sources. */
let ui: string;

beforeAll(() => {
  ui = join(sandbox.sources, "coordinator/ui");
});

describe("Docker", () => {
  survivesAll(
    [
      "no engine",
      "a step of a Dockerfile fails",
      "a file of the context cannot be read",
      "a symlink leaves the context",
    ],
    async () => {
      const tags = await published(sandbox);
      const noEngine = await expectFailure(sandbox.with({ DOCKER_HOST: "unix:///nowhere/docker.sock" }));

      const secret = join(ui, "src/secret.txt");
      await writeFile(secret, "nobody may read this");
      await chmod(secret, 0);
      if (process.getuid?.() === 0) await chown(secret, 65_534, 65_534);
      const unreadable = failed(await asOrdinaryUser(withoutPrompt("up")));
      await rm(secret);

      // In the builds of two images. One waits until the other has started.
      const restore = await addStep("RUN sleep 3\nRUN echo npm error 404 no such package >&2; exit 3");
      const file = join(sandbox.sources, "coordinator/mcp-http-bridge/bridge.js");
      const outside = join(dirname(sandbox.sources), "bridge.js");
      await cp(file, outside);
      await rm(file);
      await symlink(outside, file);
      const unbuilt = await expectFailure(sandbox);
      await restore();
      await rm(file);
      await cp(outside, file);

      expect(await published(sandbox)).toEqual(tags);
      const rows = await fixAllByUp(sandbox, {
        "no engine": { happened: "nothing is changed", seen: seenIn(noEngine, /no engine listens/) },
        "a step of a Dockerfile fails": {
          happened: "nothing is pushed, and no tag is moved",
          seen: seenIn(unbuilt, /error reading build output: .*exit code: 3/, /npm error 404/),
        },
        "a file of the context cannot be read": {
          happened: "nothing is built",
          seen: seenIn(unreadable, /secret\.txt/),
        },
        "a symlink leaves the context": {
          happened: "no file from outside the context gets into an image; nothing is pushed",
          seen: seenIn(unbuilt, /error reading build output: .*bridge\.js.*not found/),
        },
      });
      expect(rows["no engine"].next).toMatch(/^`pulumi up`: \d+ unchanged$/);
      return rows;
    },
  );

  survives("the engine is killed during a build", async (skip) => {
    if (!hasOwnEngine(sandbox)) skip("the engine is the machine's own: the sandbox leaves it alone");
    const restore = await addStep('RUN ["sleep", "61.0417"]');
    const up = sandbox.tryUp();
    const builds = () => allProcesses().some((pid) => commandLine(pid).endsWith("sleep 61.0417"));
    expect(await waitUntil(builds, 60_000)).toBe(true);
    const paths = sandboxPaths(sandbox.root);
    await switchService("docker", "kill", paths);
    const output = failed(await up);
    await restore();
    await switchService("docker", "start", paths);
    return fixByUp(
      sandbox,
      "the build is lost; nothing is pushed, and no other image is touched",
      seenIn(output, /error reading build output: /),
    );
  });

  survivesAll(["a context of 1 GB", "an ignore file changes"], async () => {
    const recording = join(ui, "recording.bin");
    const [ignore, notes] = [".dockerignore", "notes.txt"].map((name) =>
      join(sandbox.sources, "coordinator", name),
    ) as [string, string];
    await writeFile(recording, "");
    await truncate(recording, GIB);
    await writeFile(ignore, "notes.txt\n");
    const { seconds, mebibytes, output } = await measureUp();
    // The images of both contexts, for each platform.
    expect(output).toContain("4 updated");
    expect(seconds).toBeLessThan(MOST_SECONDS);
    expect(mebibytes).toBeGreaterThan(0);
    expect(mebibytes).toBeLessThan(MOST_MIB);
    await writeFile(notes, "ignored");
    await sandbox.expectNoChanges();
    await rm(recording);
    await writeFile(ignore, "other.txt\n");
    const rows = await fixAllByUp(sandbox, {
      "a context of 1 GB": {
        happened:
          `built in less than ${MOST_SECONDS} s, the docker plugin with less than ${MOST_MIB} MiB: ` +
          "the context is read in pieces, and the engine gets what the Dockerfile copies",
        seen: "nothing",
      },
      "an ignore file changes": {
        happened: "the image of this context is built again; an ignored file builds nothing",
        seen: "nothing",
      },
    });
    expect(rows["an ignore file changes"].next).toContain("4 updated");
    return rows;
  });

  // Last, because the stack builds from that path afterwards.
  survives("a path with spaces and non-ASCII letters", async () => {
    const folder = join(dirname(sandbox.sources), "Quellen für Übung");
    await cp(sandbox.sources, folder, { recursive: true });
    await sandbox.set({ sourceDir: relative(repositoryRoot, folder) });
    const row = await fixByUp(sandbox, "built from that path", "nothing");
    expect(row.next).toContain("6 updated");
    return row;
  });
});

/** Adds a step to the Dockerfile of the user interface; returns a function that removes it. */
async function addStep(step: string): Promise<() => Promise<void>> {
  const file = join(ui, "Dockerfile");
  const before = await readFile(file, "utf8");
  await writeFile(file, withBuildStep(before, step));
  return () => writeFile(file, before);
}

/** Runs pulumi without root's capability to read every file. */
async function asOrdinaryUser(args: string[]): Promise<Outcome> {
  const capabilities = "-dac_override,-dac_read_search";
  const without =
    process.getuid?.() === 0
      ? ["setpriv", `--bounding-set=${capabilities}`, `--inh-caps=${capabilities}`]
      : [];
  const [command = "", ...rest] = [...without, "pulumi", ...args];
  return sandbox.command(command, rest);
}

/** Runs `up`; measures its time and the peak memory of the docker plugin. */
async function measureUp(): Promise<{ seconds: number; mebibytes: number; output: string }> {
  const known = new Set(allProcesses());
  const begin = performance.now();
  let kibibytes = 0;
  const timer = setInterval(() => {
    for (const pid of allProcesses())
      if (!known.has(pid) && isDockerPlugin(pid)) kibibytes = Math.max(kibibytes, peakMemory(pid));
  }, 100);
  const outcome = await sandbox.tryUp();
  clearInterval(timer);
  const output = passed(outcome);
  return { seconds: (performance.now() - begin) / 1000, mebibytes: kibibytes / 1024, output };
}

/** Whether a process is this sandbox's docker plugin; other sandboxes may run at the same time. */
function isDockerPlugin(pid: number): boolean {
  return (
    /resource-docker|providers\/docker\/main/.test(commandLine(pid)) &&
    readProc(pid, "environ").includes(sandbox.root)
  );
}

/** The peak memory of a process, in KiB. */
function peakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readProc(pid, "status"))?.[1] ?? 0);
}

/** Reads a file of `/proc/PID`; empty if the process has ended. */
function readProc(pid: number, file: "environ" | "status"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
