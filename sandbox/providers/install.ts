import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

/** The plugins that a fake provider exists for. */
export type FakeProviderName = "gcp" | "docker";

/** A file of this name in a plugin's folder says that the plugin is a fake provider, not the real one. */
export const fakeProviderMarker = "hyperion-fake-provider.json";

const checkout = resolve(import.meta.dirname, "../..");
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
  const marker = { fakeOf: name, version: pluginVersion(name), checkout };
  await writeFile(join(folder, fakeProviderMarker), `${JSON.stringify(marker, undefined, 2)}\n`);
  const executable = join(folder, `pulumi-resource-${name}`);
  const script = startScript(name);
  // An unchanged file is left alone: the kernel refuses to write one that is being executed.
  if (!existsSync(executable) || (await readFile(executable, "utf8")) !== script) {
    await writeFile(executable, script);
  }
  await chmod(executable, 0o755);
  return folder;
}

function startScript(name: FakeProviderName): string {
  const main = join(checkout, "sandbox", "providers", name, "main.ts");
  return [
    "#!/bin/sh",
    `export NODE_COMPILE_CACHE=${shellQuote(join(checkout, "node_modules", ".cache", "hyperion-registry"))}`,
    `exec ${shellQuote(process.execPath)} ${shellQuote(main)} "$@"`,
    "",
  ].join("\n");
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
