import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { gcloudTokenFile } from "./gcloud-environment.ts";
import { MAINTAINER } from "../lib/tokens.ts";
import { CREDENTIAL_HELPER, credentialHelper } from "./environment.ts";
import { writeWhole } from "../lib/files.ts";
import { repositoryRoot, type SandboxPaths } from "../lib/paths.ts";
import { shellWord } from "../../problems/wording.ts";
import type { SandboxConfig } from "../lib/config.ts";
import { registryHost } from "../lib/config.ts";
import type { Tools } from "../lib/tools.ts";

/** A kept token is taken while it is younger than this, in minutes; it lives for an hour. */
const FRESH_MINUTES = 30;

/** Writes what is first in the sandbox's PATH (`pulumi`, `docker`, the credential helper) and Docker's configuration. */
export async function ensureWrappers(
  paths: SandboxPaths,
  config: SandboxConfig,
  tools: Tools,
): Promise<void> {
  await script(join(paths.bin, "pulumi"), [
    "# Pulumi finds its project by the current folder: here always the sandbox's copy.",
    `exec ${shellWord(tools.pulumi.path)} -C ${shellWord(paths.project)} "$@"`,
  ]);
  await script(join(paths.bin, "docker"), [
    "# A docker command that can build with BuildKit, whatever comes first on PATH.",
    `DOCKER_BUILDKIT="\${DOCKER_BUILDKIT:-1}" exec ${shellWord(tools.docker.path)} "$@"`,
  ]);
  await script(credentialHelper(paths), helperLines(paths));
  await writeWhole(join(paths.dockerConfig, "config.json"), dockerConfig(config));
}

async function script(file: string, lines: string[]): Promise<void> {
  await writeWhole(file, `${["#!/bin/sh", ...lines].join("\n")}\n`, 0o755);
  await chmod(file, 0o755);
}

function dockerConfig(config: SandboxConfig): string {
  // Plugins of the user's own (Compose, buildx) lie in a folder that goes by DOCKER_CONFIG.
  const plugins = join(homedir(), ".docker", "cli-plugins");
  const content = {
    credHelpers: { [registryHost(config)]: CREDENTIAL_HELPER },
    ...(existsSync(plugins) && { cliPluginsExtraDirs: [plugins] }),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/**
 * Docker runs the helper for every pull and push, so that it is a shell script that reads a kept token and starts
 * Node.js only when that is old. `HYPERION_SANDBOX_PRINCIPAL` chooses another principal than the maintainer.
 */
function helperLines(paths: SandboxPaths): string[] {
  const cli = [process.execPath, join(repositoryRoot, "sandbox", "cli.ts")];
  return [
    "set -eu",
    "umask 077",
    'if [ "${1:-}" = list ]; then echo "{}"; exit 0; fi',
    'if [ "${1:-}" != get ]; then cat >/dev/null; exit 0; fi',
    "server=$(cat)",
    `principal=\${HYPERION_SANDBOX_PRINCIPAL:-${MAINTAINER}}`,
    `if [ "$principal" = ${MAINTAINER} ]; then`,
    `  file=${shellWord(gcloudTokenFile(paths.root))}`,
    "else",
    `  file=${shellWord(paths.tokens)}/$(printf %s "$principal" | sha256sum | cut -c1-32)`,
    "fi",
    `if [ -z "$(find "$file" -mmin -${FRESH_MINUTES} 2>/dev/null)" ]; then`,
    `  mkdir -p ${shellWord(paths.tokens)}`,
    `  HYPERION_SANDBOX_DIR=${shellWord(paths.root)} \\`,
    `    ${cli.map(shellWord).join(" ")} token "$principal" >"$file.$$"`,
    '  mv "$file.$$" "$file"',
    "fi",
    `printf '{"ServerURL":"%s","Username":"oauth2accesstoken","Secret":"%s"}\\n' "$server" "$(cat "$file")"`,
  ];
}
