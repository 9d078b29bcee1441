import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { NAMESPACE } from "../../problems/setting-commands.ts";

/** Root of this checkout. */
export const repositoryRoot = resolve(import.meta.dirname, "../..");

/** Programs and images that all checkouts share. */
export const sharedCache = join(homedir(), ".cache", "hyperion-sandbox");

/** Node.js's compile cache. Its keys are the code's content. */
export const compileCache = join(repositoryRoot, "node_modules", ".cache", NAMESPACE);

/** The sandbox's folder: `HYPERION_SANDBOX_DIR`, else `.sandbox` in the repository's root. */
export function sandboxDir(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env["HYPERION_SANDBOX_DIR"];
  return chosen ? resolve(chosen) : join(repositoryRoot, ".sandbox");
}

/** A short name of a sandbox's folder. */
export function shortName(root: string): string {
  return createHash("sha256").update(root).digest("hex").slice(0, 8);
}

export type SandboxPaths = ReturnType<typeof sandboxPaths>;

/** Absolute paths of a sandbox's files and folders. */
export function sandboxPaths(root: string = sandboxDir()) {
  return {
    root,
    /** The ports; see `lib/config.ts`. */
    config: join(root, "config.json"),
    /** A file for each running service; see `lib/supervision.ts`. */
    run: join(root, "run"),
    logs: join(root, "logs"),
    /** Downloads, which `down` keeps. */
    cache: join(root, "cache"),
    /** Found or installed programs: Pulumi CLI, `docker`, the engine. */
    tools: join(root, "run", "tools.json"),
    keys: join(root, "keys"),
    /** RSA key of the certificate and of all tokens (PEM, mode 0600). */
    key: join(root, "keys", "token.key"),
    /** Self-signed certificate for localhost and 127.0.0.1. */
    certificate: join(root, "keys", "token.crt"),
    /** The system's certificates and ours, for `SSL_CERT_FILE`. */
    certificateBundle: join(root, "keys", "ca-bundle.crt"),
    /** Passphrase of the stacks' secrets (mode 0600). */
    passphrase: join(root, "keys", "passphrase"),
    /** Access tokens of principals other than the maintainer, for the credential helper (mode 0600). */
    tokens: join(root, "tokens"),
    emulator: join(root, "emulator"),
    /** State of the emulated APIs. */
    emulatorState: join(root, "emulator", "state.json"),
    /** Members of groups and domains. A sample is written; meant to be edited. */
    members: join(root, "emulator", "members.json"),
    /** Key of the emulated GitHub issuer (PEM, mode 0600). */
    githubKey: join(root, "emulator", "github.key"),
    /** Active faults. */
    faults: join(root, "emulator", "faults.json"),
    /** Refused and failed requests. */
    emulatorLog: join(root, "logs", "emulator.log"),
    registry: join(root, "registry"),
    registryConfig: join(root, "registry", "config.yml"),
    /** Data of the sandbox's Docker engine. */
    docker: join(root, "docker"),
    /** `DOCKER_CONFIG`. */
    dockerConfig: join(root, "docker-config"),
    /** First in PATH: `pulumi`, `docker`, the credential helper. */
    bin: join(root, "bin"),
    /** `PULUMI_HOME`. */
    pulumiHome: join(root, "pulumi"),
    /** File backend of the stacks. */
    state: join(root, "state"),
    /** State of each stack: `STACK.json`. */
    stacks: join(root, "state", ".pulumi", "stacks", NAMESPACE),
    /** Copy of the Pulumi project, which `pulumi config set` changes. */
    project: join(root, "project"),
  };
}
