import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SandboxError } from "../lib/errors.ts";
import { findCommands, systemPath } from "../lib/files.ts";
import { lastLines, run } from "../lib/run-command.ts";
import type { Progress } from "../lib/progress.ts";

/** A Go module. Its files include a go.sum, so its hash pins the modules that it needs too. */
export interface GoModule {
  path: string;
  version: string;
  /** The hash of its files, as a go.sum has it. */
  sum: string;
}

/** Programs of one module, built with the versions in its own go.mod. */
export interface GoPrograms {
  module: GoModule;
  /** Their folders in the module: `./cmd/dockerd`. */
  folders: readonly string[];
  linkerFlags?: string;
  /** A module that the go.mod takes from a folder beside its own. The download does not have that folder. */
  beside?: GoModule;
}

/** The usual folder of Go if it is not on PATH. */
const GO_FOLDER = "/usr/local/go/bin";

const env = {
  PATH: systemPath(),
  GOWORK: "off",
  GOFLAGS: "-mod=readonly -buildvcs=false",
  // The hashes are known: those of the programs' modules here, all others in the go.sum of these. Only a later version of Go,
  // which Go downloads if a module needs it, is looked up in the database of hashes.
  GONOSUMDB: "*",
};

/**
 * Builds Go programs into a temporary folder next to `target`.
 *
 * @param put moves the results to their place.
 */
export async function goBuild(
  programs: readonly GoPrograms[],
  target: string,
  progress: Progress,
  put: (folder: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const folder = await mkdtemp(join(dirname(target), "building-"));
  try {
    const results = join(folder, "results");
    for (const each of programs) await buildInto(results, each, folder, progress);
    await put(results);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function buildInto(
  target: string,
  { module, folders, linkerFlags = "", beside }: GoPrograms,
  scratch: string,
  progress: Progress,
): Promise<void> {
  const name = module.path.replace(/\/v\d+$/, "");
  const go = findCommands("go")[0] ?? (existsSync(join(GO_FOLDER, "go")) ? join(GO_FOLDER, "go") : undefined);
  if (!go)
    throw new SandboxError(
      `${name} cannot be downloaded, and building it needs Go 1.25 or later.\n` +
        "Install it (https://go.dev/dl), or the Pulumi CLI 3.259.0 or later (https://www.pulumi.com/docs/install)",
    );
  progress(`${name}: downloading its sources`);
  const source = await download(go, module, scratch);
  const options = { cwd: source, env };
  const modFile = beside && (await modFileWith(await download(go, beside, scratch), source, scratch));
  const packages = [...(modFile === undefined ? [] : [`-modfile=${modFile}`]), ...folders];
  const listed = await run(go, ["list", "-deps", ...packages], options);
  if (!listed.ok) throw new SandboxError(`${name} cannot be built:\n${lastLines(listed.stderr, 6)}`);
  const total = listed.stdout.split("\n").length;

  const start = Date.now();
  let built = 0;
  const report = () => {
    progress(`${name}: building, ${built} of at most ${total} packages, ${seconds(start)}`);
  };
  report();
  const timer = setInterval(report, 10_000);
  const flags = `-s -w ${linkerFlags}`.trim();
  const args = ["build", "-v", "-trimpath", "-ldflags", flags, "-o", `${target}/`, ...packages];
  const result = await run(go, args, {
    ...options,
    onErrorOutput: (text) => (built += text.split("\n").length - 1),
  });
  clearInterval(timer);
  if (!result.ok) throw new SandboxError(`${name} cannot be built:\n${lastLines(result.stderr, 6)}`);
  progress(`${name}: built in ${seconds(start)}`);
}

/** Downloads a module into Go's cache; returns its folder. @throws SandboxError if its hash is another one. */
async function download(go: string, { path, version, sum }: GoModule, cwd: string): Promise<string> {
  const { stdout, failure } = await run(go, ["mod", "download", "-json", `${path}@${version}`], { cwd, env });
  const found = JSON.parse(stdout || "{}") as { Dir?: string; Sum?: string; Error?: string };
  if (found.Dir === undefined)
    throw new SandboxError(`${path} ${version} cannot be downloaded: ${found.Error ?? failure}`);
  if (found.Sum !== sum)
    throw new SandboxError(`${path} ${version} has the hash ${found.Sum ?? ""} instead of ${sum}`);
  return found.Dir;
}

/** A copy of the module's go.mod that names the folder of the module beside it; returns the file. */
async function modFileWith(beside: string, source: string, scratch: string): Promise<string> {
  const text = await readFile(join(source, "go.mod"), "utf8");
  const file = join(scratch, "go.mod");
  await writeFile(file, text.replace(/=> \.\.\/\S+/, `=> ${beside}`));
  // Go looks for it next to the go.mod.
  await copyFile(join(source, "go.sum"), join(scratch, "go.sum"));
  return file;
}

function seconds(since: number): string {
  return `${Math.round((Date.now() - since) / 1000)} s`;
}
