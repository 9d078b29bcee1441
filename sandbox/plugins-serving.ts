import type { SandboxPaths } from "./paths";
import { pluginKind, pluginVersion, type StandInName } from "./plugins/install";

/** The plugins that the program needs. */
export const PLUGINS: readonly StandInName[] = ["gcp", "docker"];

/** Which plugin serves. */
export interface PluginChoice {
  name: StandInName;
  version: string;
  kind: "real" | "stand-in" | "none";
}

/** Which plugins serve in this sandbox. */
export function pluginsServing(paths: SandboxPaths): PluginChoice[] {
  return PLUGINS.map((name) => ({
    name,
    version: pluginVersion(name),
    kind: pluginKind(name, paths.pulumiHome),
  }));
}
