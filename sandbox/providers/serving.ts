import type { SandboxPaths } from "../lib/paths.ts";
import { pluginKind, pluginVersion, type FakeProviderName } from "./install.ts";

/** The plugins that the program needs. */
export const PLUGINS: readonly FakeProviderName[] = ["gcp", "docker"];

/** Which plugin serves. */
export interface PluginChoice {
  name: FakeProviderName;
  version: string;
  kind: "real" | "fake" | "none";
}

/** Which plugins serve in this sandbox. */
export function pluginsServing(paths: SandboxPaths): PluginChoice[] {
  return PLUGINS.map((name) => ({
    name,
    version: pluginVersion(name),
    kind: pluginKind(name, paths.pulumiHome),
  }));
}
