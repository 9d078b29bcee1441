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

/** A token is reused for this time. It lives for an hour. */
const FRESH_MINUTES = 30;

/** Writes `pulumi`, `docker` and the credential helper, which are first on the sandbox's PATH, and Docker's configuration. */
export async function ensureWrappers(
  paths: SandboxPaths,
  config: SandboxConfig,
  tools: Tools,
): Promise<void> {
  await script(join(paths.bin, "pulumi"), [
    "# Pulumi looks for its project in the current folder. Use the sandbox's copy.",
    `exec ${shellWord(tools.pulumi.path)} -C ${shellWord(paths.project)} "$@"`,
  ]);
  await script(join(paths.bin, "docker"), [
    "# A docker command that can build with BuildKit.",
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
  // Docker looks for plugins (Compose, buildx) in DOCKER_CONFIG.
  const plugins = join(homedir(), ".docker", "cli-plugins");
  const content = {
    credHelpers: { [registryHost(config)]: CREDENTIAL_HELPER },
    ...(existsSync(plugins) && { cliPluginsExtraDirs: [plugins] }),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/**
 * Docker runs the helper for each pull and push, so it is a shell script that starts Node.js only for a new token.
 * `HYPERION_SANDBOX_PRINCIPAL` selects a principal other than the maintainer.
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
