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

/** The variable that says which kind of plugins to begin with: `real` and no others, or `fake`. */
const CHOICE = "HYPERION_SANDBOX_PLUGINS";

/** What the variable says; undefined for the real ones where they can be had. */
export function chosenPlugins(env: NodeJS.ProcessEnv): "real" | "fake" | undefined {
  const choice = env[CHOICE] ?? "";
  if (choice === "real" || choice === "fake") return choice;
  if (choice === "") return undefined;
  throw new SandboxError(
    `${CHOICE} is "${choice}": it may be real or fake; without it, whichever can be had`,
  );
}

/**
 * Sees to it that the engine finds both plugins: the real ones where they are installed or can be downloaded, else
 * the fake providers; or those of one kind, by {@link chosenPlugins}. A sandbox keeps the plugins that it began with.
 *
 * @throws where the kind that is asked for cannot be had
 */
export async function ensurePlugins(paths: SandboxPaths, pulumi: string, progress: Progress): Promise<void> {
  const choice = chosenPlugins(process.env);
  let reachable: boolean | undefined;
  for (const name of PLUGINS) {
    const kind = pluginKind(name, paths.pulumiHome);
    if (kind !== "none" && choice !== undefined && kind !== choice)
      throw new SandboxError(
        `${CHOICE} is "${choice}", and this sandbox began with the ${kind} ${name} plugin.\n` +
          "Begin afresh: npm run sandbox -- down --force && npm run sandbox",
      );
    if (kind === "real") continue;
    if (kind === "none" && choice !== "fake") {
      if (await linkInstalled(name, paths)) continue;
      reachable ??= await isReachable(PULUMI_DOWNLOADS);
      if (reachable && (await download(name, paths, pulumi, progress)) && (await linkInstalled(name, paths)))
        continue;
      if (choice === "real")
        throw new SandboxError(
          `${CHOICE} is "real", and the ${name} plugin ${pluginVersion(name)} is neither in ~/.pulumi/plugins nor can it ` +
            `be downloaded from ${PULUMI_DOWNLOADS}.\nRun it where that answers, or with the fake providers: unset ${CHOICE}`,
        );
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
