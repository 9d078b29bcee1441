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
import { SandboxError } from "../lib/errors.ts";
import type { Progress } from "../lib/progress.ts";
import { isReachable, PULUMI_DOWNLOADS } from "./reachable.ts";

/** The variable that selects the plugins of a new sandbox: `real` or `fake`. */
const CHOICE = "HYPERION_SANDBOX_PLUGINS";

/** Undefined: real plugins if available, else fake providers. */
export function chosenPlugins(env: NodeJS.ProcessEnv): "real" | "fake" | undefined {
  const choice = env[CHOICE] ?? "";
  if (choice === "real" || choice === "fake") return choice;
  if (choice === "") return undefined;
  throw new SandboxError(
    `${CHOICE} is "${choice}": set it to real or fake, or unset it to use the real plugins if they are available`,
  );
}

/**
 * Installs both plugins: the real ones if they are installed or can be downloaded, else the fake providers; or the kind in
 * {@link chosenPlugins}. A sandbox keeps its plugins.
 *
 * @throws SandboxError if the requested kind is not available.
 */
export async function ensurePlugins(paths: SandboxPaths, pulumi: string, progress: Progress): Promise<void> {
  const choice = chosenPlugins(process.env);
  let reachable: boolean | undefined;
  for (const name of PLUGINS) {
    const kind = pluginKind(name, paths.pulumiHome);
    if (kind !== "none" && choice !== undefined && kind !== choice)
      throw new SandboxError(
        `${CHOICE} is "${choice}", but this sandbox was created with the ${kind} ${name} plugin.\n` +
          "Start again: npm run sandbox -- down --force && npm run sandbox",
      );
    if (kind === "real") continue;
    if (kind === "none" && choice !== "fake") {
      if (await linkInstalled(name, paths)) continue;
      reachable ??= await isReachable(PULUMI_DOWNLOADS);
      if (reachable && (await download(name, paths, pulumi, progress)) && (await linkInstalled(name, paths)))
        continue;
      if (choice === "real")
        throw new SandboxError(
          `${CHOICE} is "real", but the ${name} plugin ${pluginVersion(name)} is not in ~/.pulumi/plugins and cannot be ` +
            `downloaded from ${PULUMI_DOWNLOADS}.\nTo use the fake providers: unset ${CHOICE}`,
        );
      progress(`the ${name} plugin cannot be downloaded: using a fake provider`);
    }
    await installFakeProvider(name, paths.pulumiHome);
  }
}

/** A Pulumi home for downloaded plugins, which `down` keeps. */
function downloads(paths: SandboxPaths): string {
  return join(paths.cache, "pulumi");
}

/**
 * Links to the files of an installed plugin. The engine ignores a link to a folder.
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
