import { mkdir } from "node:fs/promises";
import { ensureBaseImages } from "../machine/base-image.ts";
import { commandEnvironment } from "../services/environment.ts";
import { ensureCurrentEngine } from "../machine/install-engine.ts";
import { ensurePackages } from "../machine/install-packages.ts";
import { ensurePlugins } from "../machine/link-plugins.ts";
import { ensurePulumi } from "../machine/install-pulumi.ts";
import type { SandboxPaths } from "../lib/paths.ts";
import { pluginsServing } from "../providers/install.ts";
import { ensureProject } from "../lib/project.ts";
import { ensureEmulator } from "../services/emulator.ts";
import { ensureConfig, type SandboxConfig, emulatorUrl, registryHost } from "../lib/config.ts";
import { chooseEngine, ensureEngine } from "../services/engine.ts";
import { ensureKeys } from "../lib/keys.ts";
import { ensureRegistry } from "../services/registry.ts";
import { writeTokenFile } from "../services/token-file.ts";
import type { RunStep } from "./steps.ts";
import { readTools, type Tools, writeTools } from "../lib/tools.ts";
import { ensureWrappers } from "../services/wrappers.ts";

export interface Ready {
  config: SandboxConfig;
  tools: Tools;
}

/** Installs missing programs and starts stopped services. */
export async function makeReady(paths: SandboxPaths, step: RunStep): Promise<Ready> {
  const config = await step("Keys and ports", async (_, done) => {
    const ports = await ensureConfig(paths);
    await ensureKeys(paths);
    await writeTokenFile(paths.root);
    done(paths.root);
    return ports;
  });
  const pulumi = await step("Pulumi CLI", async (progress, done) => {
    const cli = await ensurePulumi(progress);
    done(`${cli.version}, ${cli.path}`);
    return cli;
  });
  const tools = await step("Docker and registry programs", async (progress, done) => {
    const engine = await chooseEngine(paths, readTools(paths)?.engine);
    const docker = await ensurePackages(engine, paths.bin, progress);
    if (engine.current === true) await ensureCurrentEngine(progress);
    const all = { pulumi, docker, engine };
    await writeTools(paths, all);
    done(`docker ${docker.version}, ${docker.path}`);
    return all;
  });
  await step("Google APIs", async (_, done) => {
    done(started(await ensureEmulator(paths, config), emulatorUrl(config)));
  });
  await step("Registry", async (_, done) => {
    done(started(await ensureRegistry(paths, config), registryHost(config)));
  });
  await step("Docker engine", async (_, done) => {
    const { kind, host } = tools.engine;
    done(kind === "yours" ? `your own, ${host}` : started(await ensureEngine(paths, tools.engine), host));
  });
  await step("Pulumi plugins", async (progress, done) => {
    await ensurePlugins(paths, pulumi.path, progress);
    done(
      pluginsServing(paths.pulumiHome)
        .map(({ name, version, kind }) => `${name} ${version} (${kind})`)
        .join(", "),
    );
  });
  await step("Base images of the samples", async (progress, done) => {
    // Pulumi does not create the folder of its backend.
    await mkdir(paths.state, { recursive: true });
    await ensureProject(paths);
    await ensureWrappers(paths, config, tools);
    done(await ensureBaseImages(await commandEnvironment(paths, config, tools), progress));
  });
  return { config, tools };
}

function started(now: boolean, address: string): string {
  return now ? `${address}, started` : address;
}
