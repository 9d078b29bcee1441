import { mkdir, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { shellQuoted } from "../../problems/wording.ts";
import { writeWhole } from "../lib/files.ts";
import { compileCache, repositoryRoot } from "../lib/paths.ts";

/** The plugins that a fake provider exists for. */
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

/** A file of this name in a plugin's folder says that the plugin is a fake provider, not the real one. */
const fakeProviderMarker = "hyperion-fake-provider.json";

const requireHere = createRequire(import.meta.filename);

/** The version that the program's package asks the engine for: that of the npm package `@pulumi/<name>`. */
export function pluginVersion(name: FakeProviderName): string {
  const manifest = requireHere(`@pulumi/${name}/package.json`) as { version: string };
  return manifest.version;
}

/** Where the engine looks for a plugin: `<pulumiHome>/plugins/resource-<name>-v<version>`. */
export function pluginFolder(name: FakeProviderName, pulumiHome: string): string {
  return join(pulumiHome, "plugins", `resource-${name}-v${pluginVersion(name)}`);
}

/** Which plugin the engine would find in this Pulumi home. */
export function pluginKind(name: FakeProviderName, pulumiHome: string): "real" | "fake" | "none" {
  const folder = pluginFolder(name, pulumiHome);
  if (!existsSync(join(folder, `pulumi-resource-${name}`))) return "none";
  return existsSync(join(folder, fakeProviderMarker)) ? "fake" : "real";
}

/**
 * Puts a fake provider where the engine looks for the plugin, and returns that folder. Running it again
 * changes nothing; a fake provider of another checkout is pointed at this one.
 *
 * @throws when a real plugin is there already: it serves better.
 */
export async function installFakeProvider(name: FakeProviderName, pulumiHome: string): Promise<string> {
  const folder = pluginFolder(name, pulumiHome);
  if (pluginKind(name, pulumiHome) === "real") {
    throw new Error(`${folder} holds the real ${name} plugin; remove that folder to use the fake provider`);
  }
  await mkdir(folder, { recursive: true });
  // The engine takes a folder with this file beside it for a broken download.
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
