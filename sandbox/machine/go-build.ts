import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SandboxError } from "../lib/errors.ts";
import { findCommands, systemPath } from "../lib/files.ts";
import { lastLines, run } from "../lib/run-command.ts";
import type { Progress } from "../lib/progress.ts";

/** A program, pinned by a module of this project. */
export interface GoProgram {
  /** Folder of the module. */
  folder: string;
  /** Import path of the program. */
  program: string;
  linkerFlags?: string;
}

/** The usual folder of Go if it is not on PATH. */
const GO_FOLDER = "/usr/local/go/bin";

/**
 * Builds Go programs into a temporary folder next to `target`.
 *
 * @param put moves the results to their place.
 */
export async function goBuild(
  programs: readonly GoProgram[],
  target: string,
  progress: Progress,
  put: (folder: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const folder = await mkdtemp(join(dirname(target), "building-"));
  try {
    for (const program of programs) await buildInto(folder, program, progress);
    await put(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function buildInto(target: string, program: GoProgram, progress: Progress): Promise<void> {
  const go = findCommands("go")[0] ?? (existsSync(join(GO_FOLDER, "go")) ? join(GO_FOLDER, "go") : undefined);
  const name = program.program.split("/").at(-1) ?? program.program;
  if (!go)
    throw new SandboxError(
      `${name} cannot be downloaded, and building it needs Go 1.25 or later.\n` +
        "Install it (https://go.dev/dl), or the Pulumi CLI 3.259.0 or later (https://www.pulumi.com/docs/install)",
    );
  const options = {
    cwd: program.folder,
    env: { PATH: systemPath(), GOWORK: "off", GOFLAGS: "-mod=readonly -buildvcs=false" },
  };
  progress(`${name}: downloading its sources`);
  const listed = await run(go, ["list", "-deps", program.program], options);
  if (!listed.ok) throw new SandboxError(`${name} cannot be built:\n${lastLines(listed.stderr, 6)}`);
  const total = listed.stdout.split("\n").length;

  const start = Date.now();
  let built = 0;
  const report = () => {
    progress(`${name}: building, ${built} of at most ${total} packages, ${seconds(start)}`);
  };
  report();
  const timer = setInterval(report, 10_000);
  const flags = `-s -w ${program.linkerFlags ?? ""}`.trim();
  const args = ["build", "-v", "-trimpath", "-ldflags", flags, "-o", `${target}/`, program.program];
  const result = await run(go, args, {
    ...options,
    onErrorOutput: (text) => (built += text.split("\n").length - 1),
  });
  clearInterval(timer);
  if (!result.ok) throw new SandboxError(`${name} cannot be built:\n${lastLines(result.stderr, 6)}`);
  progress(`${name}: built in ${seconds(start)}`);
}

function seconds(since: number): string {
  return `${Math.round((Date.now() - since) / 1000)} s`;
}
