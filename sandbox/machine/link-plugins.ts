import { existsSync } from "node:fs";
import { mkdir, readdir, rm, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import type { SandboxPaths } from "../lib/paths.ts";
import {
  installFakeProvider,
  pluginFolder,
  pluginKind,
  pluginVersion,
  type FakeProviderName,
  PLUGINS,
} from "../providers/install.ts";
import { run } from "../lib/run-command.ts";
import type { Progress } from "../lib/progress.ts";
import { isReachable, PULUMI_DOWNLOADS } from "./reachable.ts";

/**
 * Sees to it that the engine finds both plugins: the real ones where they are installed or can be downloaded, else
 * the fake providers. A sandbox keeps the plugins that it began with.
 */
export async function ensurePlugins(paths: SandboxPaths, pulumi: string, progress: Progress): Promise<void> {
  let reachable: boolean | undefined;
  for (const name of PLUGINS) {
    const kind = pluginKind(name, paths.pulumiHome);
    if (kind === "real") continue;
    if (kind === "none") {
      if (await linkInstalled(name, paths)) continue;
      reachable ??= await isReachable(PULUMI_DOWNLOADS);
      if (reachable && (await download(name, paths, pulumi, progress)) && (await linkInstalled(name, paths)))
        continue;
      progress(`the ${name} plugin cannot be downloaded here: a fake provider serves`);
    }
    await installFakeProvider(name, paths.pulumiHome);
  }
}

/** A Pulumi home that only keeps downloaded plugins, and outlives `down`. */
function downloads(paths: SandboxPaths): string {
  return join(paths.cache, "pulumi");
}

/**
 * Makes a plugin's folder out of links to the files of one that is installed already. (The engine passes over a link
 * to a whole folder.)
 */
async function linkInstalled(name: FakeProviderName, paths: SandboxPaths): Promise<boolean> {
  const target = pluginFolder(name, paths.pulumiHome);
  for (const home of [join(homedir(), ".pulumi"), downloads(paths)]) {
    const source = pluginFolder(name, home);
    if (pluginKind(name, home) !== "real" || existsSync(`${source}.partial`)) continue;
    await rm(target, { recursive: true, force: true });
    await mkdir(target, { recursive: true });
    for (const file of await readdir(source)) await symlink(join(source, file), join(target, basename(file)));
    return true;
  }
  return false;
}

async function download(
  name: FakeProviderName,
  paths: SandboxPaths,
  pulumi: string,
  progress: Progress,
): Promise<boolean> {
  const version = pluginVersion(name);
  progress(`downloading the ${name} plugin ${version} from ${PULUMI_DOWNLOADS}`);
  const result = await run(pulumi, ["plugin", "install", "resource", name, `v${version}`], {
    env: { PULUMI_HOME: downloads(paths), PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeout: 600_000,
  });
  return result.ok;
}
