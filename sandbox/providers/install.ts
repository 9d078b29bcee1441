import { mkdir, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { shellQuoted } from "../../problems/wording.ts";
import { writeWhole } from "../lib/files.ts";
import { compileCache, repositoryRoot } from "../lib/paths.ts";

export type FakeProviderName = "gcp" | "docker";

/** The plugins that the program needs. */
export const PLUGINS: readonly FakeProviderName[] = ["gcp", "docker"];

export interface PluginChoice {
  name: FakeProviderName;
  version: string;
  kind: "real" | "fake" | "none";
}

export function pluginsServing(pulumiHome: string): PluginChoice[] {
  return PLUGINS.map((name) => ({
    name,
    version: pluginVersion(name),
    kind: pluginKind(name, pulumiHome),
  }));
}

/** This file in a plugin's folder marks a fake provider. */
const fakeProviderMarker = "hyperion-fake-provider.json";

const requireHere = createRequire(import.meta.filename);

/** The version of the npm package `@pulumi/<name>`, which the engine requests. */
export function pluginVersion(name: FakeProviderName): string {
  const manifest = requireHere(`@pulumi/${name}/package.json`) as { version: string };
  return manifest.version;
}

/** The plugin's folder: `<pulumiHome>/plugins/resource-<name>-v<version>`. */
export function pluginFolder(name: FakeProviderName, pulumiHome: string): string {
  return join(pulumiHome, "plugins", `resource-${name}-v${pluginVersion(name)}`);
}

export function pluginKind(name: FakeProviderName, pulumiHome: string): "real" | "fake" | "none" {
  const folder = pluginFolder(name, pulumiHome);
  if (!existsSync(join(folder, `pulumi-resource-${name}`))) return "none";
  return existsSync(join(folder, fakeProviderMarker)) ? "fake" : "real";
}

/**
 * Installs a fake provider of this checkout in the plugin's folder.
 *
 * @returns the folder.
 * @throws if it has the real plugin.
 */
export async function installFakeProvider(name: FakeProviderName, pulumiHome: string): Promise<string> {
  const folder = pluginFolder(name, pulumiHome);
  if (pluginKind(name, pulumiHome) === "real") {
    throw new Error(`${folder} holds the real ${name} plugin; remove that folder to use the fake provider`);
  }
  await mkdir(folder, { recursive: true });
  // With this file, the engine treats the folder as a broken download.
  await rm(`${folder}.partial`, { force: true });
  const marker = { fakeOf: name, version: pluginVersion(name), checkout: repositoryRoot };
  await writeWhole(join(folder, fakeProviderMarker), `${JSON.stringify(marker, undefined, 2)}\n`);
  await writeWhole(join(folder, `pulumi-resource-${name}`), startScript(name), 0o755);
  return folder;
}

function startScript(name: FakeProviderName): string {
  const main = join(repositoryRoot, "sandbox", "providers", name, "main.ts");
  return [
    "#!/bin/sh",
    `export NODE_COMPILE_CACHE=${shellQuoted(compileCache)}`,
    `exec ${shellQuoted(process.execPath)} ${shellQuoted(main)} "$@"`,
    "",
  ].join("\n");
}
