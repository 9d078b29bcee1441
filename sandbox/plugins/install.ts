import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

/** The plugins that a stand-in exists for. */
export type StandInName = "gcp" | "docker";

/** A file of this name in a plugin's folder says that the plugin is a stand-in, not the real one. */
export const standInMarker = "hyperion-stand-in.json";

const checkout = resolve(__dirname, "../..");
// From this checkout: vite-style loaders rewrite a bare `require`, this one stays Node's own.
const requireHere = createRequire(__filename);

/** The version that the program's package asks the engine for: that of the npm package `@pulumi/<name>`. */
export function pluginVersion(name: StandInName): string {
  const manifest = requireHere(`@pulumi/${name}/package.json`) as { version: string };
  return manifest.version;
}

/** Where the engine looks for a plugin: `<pulumiHome>/plugins/resource-<name>-v<version>`. */
export function pluginFolder(name: StandInName, pulumiHome: string): string {
  return join(pulumiHome, "plugins", `resource-${name}-v${pluginVersion(name)}`);
}

/** Which plugin the engine would find in this Pulumi home. */
export function pluginKind(name: StandInName, pulumiHome: string): "real" | "stand-in" | "none" {
  const folder = pluginFolder(name, pulumiHome);
  if (!existsSync(join(folder, `pulumi-resource-${name}`))) return "none";
  return existsSync(join(folder, standInMarker)) ? "stand-in" : "real";
}

/**
 * Puts a stand-in where the engine looks for the plugin, and returns that folder. Running it again
 * changes nothing; a stand-in of another checkout is pointed at this one.
 *
 * @throws when a real plugin is there already: it serves better.
 */
export async function installStandIn(name: StandInName, pulumiHome: string): Promise<string> {
  const folder = pluginFolder(name, pulumiHome);
  if (pluginKind(name, pulumiHome) === "real") {
    throw new Error(`${folder} holds the real ${name} plugin; remove that folder to use the stand-in`);
  }
  await mkdir(folder, { recursive: true });
  // The engine takes a folder with this file beside it for a broken download.
  await rm(`${folder}.partial`, { force: true });
  const marker = { standInFor: name, version: pluginVersion(name), checkout };
  await writeFile(join(folder, standInMarker), `${JSON.stringify(marker, undefined, 2)}\n`);
  const executable = join(folder, `pulumi-resource-${name}`);
  const script = startScript(name);
  // An unchanged file is left alone: the kernel refuses to write one that is being executed.
  if (!existsSync(executable) || (await readFile(executable, "utf8")) !== script) {
    await writeFile(executable, script);
  }
  await chmod(executable, 0o755);
  return folder;
}

function startScript(name: StandInName): string {
  const main = join(checkout, "sandbox", "plugins", name, "main.ts");
  return [
    "#!/bin/sh",
    // The engine starts plugins in the program's folder, whose tsconfig.json is not this code's.
    `export TSX_TSCONFIG_PATH=${shellQuote(join(checkout, "tsconfig.json"))}`,
    `exec ${shellQuote(process.execPath)} --require ${shellQuote(requireHere.resolve("tsx/cjs"))} ${shellQuote(main)} "$@"`,
    "",
  ].join("\n");
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
