import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { mkdir, realpath, rename, rm, writeFile } from "node:fs/promises";
import { coerce, satisfies } from "semver";
import { SandboxError } from "../lib/errors.ts";
import { whileHolding } from "../lib/lock.ts";
import { commandsOnPath, isExecutable } from "../../components/images/programs.ts";
import type { PulumiCli } from "../lib/tools.ts";
import { repositoryRoot } from "../lib/paths.ts";
import { run } from "../lib/run-command.ts";
import { goBuild, type GoModule, type GoPrograms } from "./go-build.ts";
import type { Progress } from "../lib/progress.ts";
import { isReachable, PULUMI_DOWNLOADS } from "./reachable.ts";

/** The version to install: the newest one that can be built from its Go module. */
export const PULUMI_VERSION = readFileSync(join(repositoryRoot, ".pulumi.version"), "utf8").trim();

const LANGUAGE_HOST = "pulumi-language-nodejs";

/** Whether a CLI of this version, with or without a leading `v`, runs the stack. */
export function isRecentEnough(version: string): boolean {
  const plain = coerce(version);
  return plain !== null && satisfies(plain, `^${PULUMI_VERSION}`);
}

/** The cache that the npm package `pulumi` and all checkouts share. */
const versionFolder = join(homedir(), ".pulumi", "versions", PULUMI_VERSION);

/** Finds or installs the Pulumi CLI. */
export async function ensurePulumi(progress: Progress): Promise<PulumiCli> {
  const found = (await onPath()) ?? inCache();
  if (found) return found;
  await mkdir(dirname(versionFolder), { recursive: true });
  progress(`installing the Pulumi CLI ${PULUMI_VERSION} into ${versionFolder}, for all checkouts`);
  return whileHolding(
    `${versionFolder}.lock`,
    async () => inCache() ?? (await download(progress)) ?? (await build(progress)),
  );
}

async function onPath(): Promise<PulumiCli | undefined> {
  for (const path of commandsOnPath("pulumi")) {
    // Skips the npm package's shim and the wrappers of sandboxes, which have no language host in their folder.
    if (!isExecutable(join(dirname(await realpath(path)), LANGUAGE_HOST))) continue;
    const shown = await run(path, ["version"], {
      env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeout: 10_000,
    });
    if (shown.ok && isRecentEnough(shown.stdout))
      return { path, version: shown.stdout.trim().replace(/^v/, ""), source: "PATH" };
  }
  return undefined;
}

function inCache(): PulumiCli | undefined {
  const bin = join(versionFolder, "bin");
  return isExecutable(join(bin, "pulumi")) && isExecutable(join(bin, LANGUAGE_HOST))
    ? { path: join(bin, "pulumi"), version: PULUMI_VERSION, source: "cache" }
    : undefined;
}

async function download(progress: Progress): Promise<PulumiCli | undefined> {
  if (!(await isReachable(PULUMI_DOWNLOADS))) {
    progress(`${PULUMI_DOWNLOADS} does not answer: building from Go modules instead`);
    return undefined;
  }
  progress(`downloading from ${PULUMI_DOWNLOADS}`);
  const shim = join(repositoryRoot, "node_modules", "pulumi", "run.js");
  // The shim installs into PULUMI_HOME, which defaults to the shared cache.
  const env = { PULUMI_HOME: undefined, PULUMI_VERSION };
  const result = await run(process.execPath, [shim, "version"], { env, timeout: 600_000 });
  const cli = inCache();
  if (cli) return { ...cli, source: "downloaded" };
  progress(`the download failed (${result.failure}): building from Go modules instead`);
  return undefined;
}

const SDK = "github.com/pulumi/pulumi/sdk/v3";

export const PULUMI_CLI: GoModule = {
  path: "github.com/pulumi/pulumi/pkg/v3",
  version: "v3.274.1",
  sum: "h1:XYyUwBMf1bCA0bnvL4MfgX96qr38ezcNnXXbXavw9Fo=",
};

const PROGRAMS: readonly GoPrograms[] = [
  {
    module: PULUMI_CLI,
    beside: {
      path: SDK,
      version: PULUMI_CLI.version,
      sum: "h1:Sy2OifRLCPVmFMDTkp18yRk/YviwhJuGZU6vfLwruPM=",
    },
    folders: ["./cmd/pulumi"],
    linkerFlags: `-X ${SDK}/go/common/version.Version=${PULUMI_VERSION}`,
  },
  {
    // The newest version whose language host is part of a module that can be downloaded.
    module: { path: SDK, version: "v3.68.0", sum: "h1:JWn3DGJhzoWL8bNbUdyLSSPeKS2F9mv14/EL9QeVT3w=" },
    folders: [`./nodejs/cmd/${LANGUAGE_HOST}`],
  },
];

/** The file name of the built language host, which is older than the engine. */
const OLD_HOST = `${LANGUAGE_HOST}-3.68.0`;

/** The engine sends the options in Pulumi.yaml with each request, but the older host accepts flags only. */
const hostScript = `#!/bin/sh
option() { sed -n "s/^ *$1: *//p" Pulumi.yaml 2>/dev/null | head -n 1; }
nodeargs=$(option nodeargs)
typescript=$(option typescript)
exec "$(dirname "$0")/${OLD_HOST}" \${nodeargs:+"-nodeargs=$nodeargs"} \${typescript:+"-typescript=$typescript"} "$@"
`;

async function build(progress: Progress): Promise<PulumiCli> {
  const bin = join(versionFolder, "bin");
  await goBuild(PROGRAMS, bin, progress, async (built) => {
    await rename(join(built, LANGUAGE_HOST), join(built, OLD_HOST));
    await writeFile(join(built, LANGUAGE_HOST), hostScript, { mode: 0o755 });
    await rm(bin, { recursive: true, force: true });
    await rename(built, bin);
  });
  const cli = inCache();
  if (!cli) throw new SandboxError(`the Pulumi CLI was built but is not in ${versionFolder}`);
  return { ...cli, source: "built" };
}
