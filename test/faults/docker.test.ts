import { readFileSync } from "node:fs";
import { chmod, chown, cp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { beforeAll, describe, expect } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { allProcesses, commandLine, waitUntil } from "../../sandbox/lib/processes.ts";
import { withBuildStep } from "../support/build-step.ts";
import { failed, passed } from "../support/outcome.ts";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { expectDeclared } from "./declared.ts";
import { expectFailure, fixByUp, runAndSummarize, withoutPrompt } from "./fixing.ts";
import { seenIn } from "./seen.ts";
import { requireOwnEngine, survives } from "./survives.ts";

const GIB = 1024 ** 3;

const sandbox = useSandbox();
/** Folder of the user interface's sources. */
let ui: string;

beforeAll(() => {
  ui = join(sandbox.sources, "coordinator/ui");
});

describe("Docker", () => {
  survives("no engine", async () => {
    const output = await expectFailure(sandbox.with({ DOCKER_HOST: "unix:///nowhere/docker.sock" }));
    return fixByUp(sandbox, "nothing is changed", seenIn(output, /no engine listens/));
  });

  survives("the engine is killed during a build", async (skip) => {
    await requireOwnEngine(sandbox, skip);
    const restore = await addStep('RUN ["sleep", "61.0417"]');
    const up = sandbox.tryUp();
    const builds = () => allProcesses().some((pid) => commandLine(pid).endsWith("sleep 61.0417"));
    expect(await waitUntil(builds, 60_000)).toBe(true);
    passed(await sandbox.run("fault", "docker", "kill"));
    const output = failed(await up);
    await restore();
    passed(await sandbox.run("up", "--no-stack"));
    return fixByUp(
      sandbox,
      "the build is lost; nothing is pushed, and no other image is touched",
      seenIn(output, /error reading build output: /),
    );
  });

  survives("a step of a Dockerfile fails", async () => {
    const restore = await addStep("RUN echo npm error 404 no such package >&2; exit 3");
    const output = await expectFailure(sandbox);
    await restore();
    return fixByUp(
      sandbox,
      "nothing is pushed, and no tag is moved",
      seenIn(output, /error reading build output: .*exit code: 3/, /npm error 404/),
    );
  });

  survives("a file of the context cannot be read", async () => {
    const file = join(ui, "src/secret.txt");
    await writeFile(file, "nobody may read this");
    await chmod(file, 0);
    if (process.getuid?.() === 0) await chown(file, 65_534, 65_534);
    const output = failed(await asOrdinaryUser(withoutPrompt("up")));
    await rm(file);
    return fixByUp(sandbox, "nothing is built", seenIn(output, /secret\.txt/));
  });

  survives("a context of 1 GB", async () => {
    const file = join(ui, "recording.bin");
    await writeFile(file, "");
    await truncate(file, GIB);
    const { seconds, mebibytes, output } = await measureUp();
    expect(output).toContain("2 updated");
    expect(seconds).toBeLessThan(120);
    expect(mebibytes).toBeGreaterThan(0);
    expect(mebibytes).toBeLessThan(400);
    await expectDeclared(sandbox);
    await rm(file);
    return fixByUp(
      sandbox,
      `built in ${Math.round(seconds)} s, the docker plugin with ${Math.ceil(mebibytes / 10) * 10} MiB: ` +
        "the context is read in pieces, and the engine gets what the Dockerfile copies",
      "nothing",
    );
  });

  survives("a path with spaces and non-ASCII letters", async () => {
    const folder = join(dirname(sandbox.sources), "Quellen für Übung");
    await cp(sandbox.sources, folder, { recursive: true });
    await sandbox.set({ sourceDir: relative(repositoryRoot, folder) });
    const row = await fixByUp(sandbox, "built from that path", "nothing");
    expect(row.next).toContain("6 updated");
    await sandbox.set({ sourceDir: relative(repositoryRoot, sandbox.sources) });
    await runAndSummarize(sandbox, "up");
    return row;
  });

  survives("a symlink leaves the context", async () => {
    const file = join(ui, "nginx.conf");
    const outside = join(dirname(sandbox.sources), "nginx.conf");
    await cp(file, outside);
    await rm(file);
    await symlink(outside, file);
    const output = await expectFailure(sandbox);
    await rm(file);
    await cp(outside, file);
    return fixByUp(
      sandbox,
      "no file from outside the context gets into an image; nothing is pushed",
      seenIn(output, /error reading build output: .*nginx\.conf.*not found/),
    );
  });

  survives("an ignore file changes", async () => {
    const [ignore, notes] = [".dockerignore", "notes.txt"].map((name) =>
      join(sandbox.sources, "coordinator", name),
    ) as [string, string];
    await writeFile(ignore, "notes.txt\n");
    expect(await runAndSummarize(sandbox, "up")).toContain("2 updated");
    await writeFile(notes, "ignored");
    await sandbox.expectNoChanges();
    await writeFile(ignore, "other.txt\n");
    const row = await fixByUp(
      sandbox,
      "the image of this context is built again; an ignored file builds nothing",
      "nothing",
    );
    expect(row.next).toContain("2 updated");
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
