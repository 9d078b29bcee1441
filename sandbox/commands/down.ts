import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SandboxError } from "../lib/errors.ts";
import { commandEnvironment } from "../services/environment.ts";
import { readText } from "../lib/files.ts";
import { whileLocked } from "../lib/lock.ts";
import { type SandboxPaths, sandboxPaths } from "../lib/paths.ts";
import { pulumiCommand, runAttached } from "../lib/pulumi.ts";
import { run } from "../lib/run-command.ts";
import { ensureEmulator } from "../services/emulator.ts";
import { readConfig, registryHost, type SandboxConfig } from "../lib/config.ts";
import { ensureEngine } from "../services/engine.ts";
import { stopOwnEngine } from "../machine/engine/own-engine.ts";
import { ensureRegistry } from "../services/registry.ts";
import { stopService } from "../lib/supervision.ts";
import { readTools, type Tools } from "../lib/tools.ts";

/** `down`: destroys the stacks unless forced, stops the services, and removes all files except downloads. */
export async function down(
  options: { force: boolean },
  paths: SandboxPaths = sandboxPaths(),
): Promise<number> {
  if (!existsSync(paths.config)) {
    console.log(`There is no sandbox in ${paths.root}.`);
    return 0;
  }
  await whileLocked(paths, async () => {
    const [config, tools] = [readConfig(paths), readTools(paths)];
    if (!options.force) await destroyStacks(paths, config, tools);
    if (config && tools?.engine.kind === "yours") await removeLocalImages(config, tools);
    await stopService(paths, "registry");
    await stopService(paths, "emulator");
    if (existsSync(paths.docker)) await stopOwnEngine(paths);
    await removeFiles(paths);
  });
  console.log("The sandbox is removed. Tools and downloads are kept.");
  return 0;
}

async function destroyStacks(
  paths: SandboxPaths,
  config: SandboxConfig | undefined,
  tools: Tools | undefined,
): Promise<void> {
  const stacks = await stacksWithResources(paths);
  if (stacks.length === 0 || !config || !tools) return;
  // A destroy needs the same services as an up.
  await ensureEmulator(paths, config);
  await ensureRegistry(paths, config);
  await ensureEngine(paths, tools.engine);
  const env = await commandEnvironment(paths, config, tools);
  const pulumi = pulumiCommand(paths);
  for (const { stack, guarded } of stacks) {
    if (guarded) {
      console.log(`Stack ${stack} is protected: removing the protection.`);
      await runAttached(pulumi, ["state", "unprotect", "--all", "--yes", "--stack", stack], env);
    }
    const code = await runAttached(pulumi, ["destroy", "--yes", "--skip-preview", "--stack", stack], env);
    if (code !== 0)
      throw new SandboxError(
        `stack ${stack} was not destroyed (see above), and the services still run.\n` +
          "To remove the sandbox without destroying its stacks: npm run sandbox -- down --force",
      );
  }
}

interface Checkpoint {
  checkpoint?: { latest?: { resources?: { protect?: boolean }[] } };
}

/** Stacks that have resources, and whether any resource is protected. */
async function stacksWithResources(paths: SandboxPaths): Promise<{ stack: string; guarded: boolean }[]> {
  if (!existsSync(paths.stacks)) return [];
  const names = (await readdir(paths.stacks)).filter((name) => name.endsWith(".json"));
  return names.flatMap((name) => {
    const { checkpoint } = JSON.parse(readText(join(paths.stacks, name)) ?? "{}") as Checkpoint;
    const resources = checkpoint?.latest?.resources ?? [];
    if (resources.length === 0) return [];
    return [
      { stack: basename(name, ".json"), guarded: resources.some((resource) => resource.protect === true) },
    ];
  });
}

/** Removes the sandbox's images from the user's engine, except those that containers use. */
async function removeLocalImages(config: SandboxConfig, { docker, engine }: Tools): Promise<void> {
  const env = { DOCKER_HOST: engine.host };
  const mine = ["--filter", `reference=${registryHost(config)}/*/*/*`];
  const listed = await run(docker.path, ["image", "ls", ...mine, "--format", "{{.Repository}}:{{.Tag}}"], {
    env,
  });
  const names = listed.stdout.split("\n").filter((name) => name !== "" && !name.endsWith(":<none>"));
  if (names.length > 0) await run(docker.path, ["image", "rm", ...names], { env });
}

/** Removes the sandbox's files by name. Other files in the folder stay. */
async function removeFiles(paths: SandboxPaths): Promise<void> {
  const { root, cache, ...own } = paths;
  const entries = Object.values(own).filter((path) => dirname(path) === root);
  // Removed last because config.json marks a sandbox: an interrupted `down` can run again.
  const inOrder = [...entries.filter((path) => path !== paths.config), join(root, "gcloud"), paths.config];
  for (const path of inOrder) await rm(path, { recursive: true, force: true });
  if (!existsSync(cache) && (await readdir(root)).length === 0) await rmdir(root);
}
