import { endpointVariables } from "../lib/google-endpoints.ts";
import { delimiter, dirname, join } from "node:path";
import { shellWord } from "../../problems/wording.ts";
import { gcloudEnvironment } from "./gcloud-environment.ts";
import { GITHUB_LOGIN } from "../emulator/support/github/repositories.ts";
import { mintGithubApiToken } from "../emulator/support/github/tokens.ts";
import { mintAccessToken, MAINTAINER } from "../lib/tokens.ts";
import { pluginsServing } from "../providers/install.ts";
import { repositoryRoot, type SandboxPaths } from "../lib/paths.ts";
import { emulatorUrl } from "../lib/config.ts";
import type { SandboxConfig } from "../lib/config.ts";
import type { Tools } from "../lib/tools.ts";

/** Lifetime of the token in a shell's environment, in seconds: a working day. */
const SHELL_TOKEN_SECONDS = 12 * 3600;

/** Variables that point `pulumi`, `docker`, `gcloud` and `skopeo` at a sandbox. */
export async function sandboxVariables(
  paths: SandboxPaths,
  config: SandboxConfig,
  tools: Tools,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Record<string, string>> {
  const url = emulatorUrl(config);
  const fakeProviders = pluginsServing(paths.pulumiHome).some((plugin) => plugin.kind === "fake");
  return {
    // `npm run sandbox` ignores DOCKER_HOST in this shell.
    HYPERION_SANDBOX_SHELL: paths.root,
    // For scripts that read and write stack files.
    HYPERION_PROJECT_DIR: paths.project,
    PATH: sandboxPath(paths, tools, env["PATH"] ?? ""),
    PULUMI_HOME: paths.pulumiHome,
    // This project's commands run the verified CLI, or this one.
    HYPERION_PULUMI: join(paths.bin, "pulumi"),
    // Metadata files are not written atomically. An empty one, left by a kill, makes the state unreadable ("failed to load
    // checkpoint: EOF").
    PULUMI_BACKEND_URL: `file://${paths.state}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE_FILE: paths.passphrase,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Otherwise the engine tries to download plugins.
    ...(fakeProviders && { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" }),
    DOCKER_HOST: tools.engine.host,
    DOCKER_CONFIG: paths.dockerConfig,
    SSL_CERT_FILE: paths.certificateBundle,
    NODE_EXTRA_CA_CERTS: paths.certificate,
    // The Organization Policy API requires a quota project from a person's own login.
    USER_PROJECT_OVERRIDE: "true",
    GOOGLE_BILLING_PROJECT: "hyperion-sandbox",
    GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(paths.root, MAINTAINER, SHELL_TOKEN_SECONDS),
    // This request of the gcp plugin ignores the endpoint variables.
    PULUMI_GCP_SKIP_REGION_VALIDATION: "true",
    ...endpointVariables(url),
    ...gcloudEnvironment(config.emulatorPort, paths.root),
    GITHUB_API_URL: `${url}/api/v3`,
    GH_TOKEN: await mintGithubApiToken(paths.root, { login: GITHUB_LOGIN }),
  };
}

/** Lines that set these variables in a POSIX shell. */
export function exportLines(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellWord(value)}\n`)
    .join("");
}

/** PATH with the sandbox's wrappers first and the language host second. */
function sandboxPath(paths: SandboxPaths, tools: Tools, path: string): string {
  return [...new Set([paths.bin, dirname(tools.pulumi.path), ...withoutNpm(path)])].join(delimiter);
}

/** Removes the folders that npm adds to a script's PATH. Other people can write to some of them, such as `/tmp/node_modules`. */
export function withoutNpm(path: string, root = repositoryRoot): string[] {
  const parents = parentsOf(root).map((folder) => join(folder, "node_modules/.bin"));
  return path
    .split(delimiter)
    .filter((folder) => folder !== "" && !folder.endsWith("/node-gyp-bin") && !parents.includes(folder));
}

function parentsOf(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [] : [parent, ...parentsOf(parent)];
}

/** Variables of the user's shell that would point commands outside the sandbox. */
const MISLEADING = [
  "DOCKER_CONTEXT",
  "DOCKER_TLS_VERIFY",
  "DOCKER_CERT_PATH",
  "DOCKER_API_VERSION",
  "GOOGLE_CREDENTIALS",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_CLOUD_KEYFILE_JSON",
  "GCLOUD_KEYFILE_JSON",
  "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
  "GOOGLE_PROJECT",
  "GOOGLE_CLOUD_PROJECT",
  "GCLOUD_PROJECT",
  "CLOUDSDK_CORE_ACCOUNT",
  "CLOUDSDK_ACTIVE_CONFIG_NAME",
  "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT",
  "GOOGLE_REGION",
  "GOOGLE_ZONE",
  "PULUMI_ACCESS_TOKEN",
  "PULUMI_CONFIG_PASSPHRASE",
  "PULUMI_STACK",
] as const;

export function misleadingVariables(env: NodeJS.ProcessEnv = process.env): string[] {
  return MISLEADING.filter((name) => env[name] !== undefined);
}

/** The environment of a command that runs in the sandbox. */
export async function commandEnvironment(
  paths: SandboxPaths,
  config: SandboxConfig,
  tools: Tools,
): Promise<NodeJS.ProcessEnv> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !(MISLEADING as readonly string[]).includes(name),
  );
  return { ...Object.fromEntries(kept), ...(await sandboxVariables(paths, config, tools)) };
}

/** The credential helper's name in `credHelpers`. */
export const CREDENTIAL_HELPER = "hyperion-sandbox";

export function credentialHelper(paths: SandboxPaths): string {
  return join(paths.bin, `docker-credential-${CREDENTIAL_HELPER}`);
}
