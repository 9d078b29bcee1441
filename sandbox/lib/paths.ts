import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { NAMESPACE } from "../../problems/setting-commands.ts";

/** Root of this checkout: where `Pulumi.yaml` and `index.ts` are. */
export const repositoryRoot = resolve(import.meta.dirname, "../..");

/** What Node.js keeps of the code that it compiled; it goes by the code's content, so that none of it is ever stale. */
export const compileCache = join(repositoryRoot, "node_modules", ".cache", NAMESPACE);

/**
 * Folder that holds everything of one sandbox, as an absolute path: `HYPERION_SANDBOX_DIR` (relative to the
 * current folder), else `.sandbox` in the repository's root.
 */
export function sandboxDir(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env["HYPERION_SANDBOX_DIR"];
  return chosen ? resolve(chosen) : join(repositoryRoot, ".sandbox");
}

/** A short name that is the same for the same sandbox folder and differs between two of them. */
export function shortName(root: string): string {
  return createHash("sha256").update(root).digest("hex").slice(0, 8);
}

/** Every file and folder of a sandbox, as absolute paths. */
export type SandboxPaths = ReturnType<typeof sandboxPaths>;

/** The files of the sandbox in folder `root`; nothing is read or created. */
export function sandboxPaths(root: string = sandboxDir()) {
  return {
    root,
    /** Ports, chosen once; see `lib/config.ts`. */
    config: join(root, "config.json"),
    /** One file a running service: its process, since when, where it listens. */
    run: join(root, "run"),
    logs: join(root, "logs"),
    /** Downloads, which `down` leaves in place. */
    cache: join(root, "cache"),
    /** What was found or installed, and where: Pulumi CLI, `docker`, the engine. */
    tools: join(root, "run", "tools.json"),
    keys: join(root, "keys"),
    /** RSA key of the registry's certificate and of all tokens (PEM, 0600). */
    key: join(root, "keys", "token.key"),
    /** Self-signed certificate for localhost and 127.0.0.1. */
    certificate: join(root, "keys", "token.crt"),
    /** The system's certificate authorities and our certificate, for `SSL_CERT_FILE`. */
    certificateBundle: join(root, "keys", "ca-bundle.crt"),
    /** Passphrase of the stacks' secrets (0600). */
    passphrase: join(root, "keys", "passphrase"),
    /** Access tokens that the credential helper keeps for other principals than the maintainer (0600). */
    tokens: join(root, "tokens"),
    /** Folder of the emulated Google APIs. */
    emulator: join(root, "emulator"),
    /** State of all of them. */
    emulatorState: join(root, "emulator", "state.json"),
    /** Who belongs to which group and domain; made with a sample when it is missing, meant to be edited. */
    members: join(root, "emulator", "members.json"),
    /** Key of the emulated issuer of GitHub Actions (PEM, 0600). */
    githubKey: join(root, "emulator", "github.key"),
    /** Faults that are switched on. */
    faults: join(root, "emulator", "faults.json"),
    /** What could not be answered, and every refused request. */
    emulatorLog: join(root, "logs", "emulator.log"),
    /** Data of the registry. */
    registry: join(root, "registry"),
    registryConfig: join(root, "registry", "config.yml"),
    /** Data of the sandbox's own Docker engine. */
    docker: join(root, "docker"),
    /** `DOCKER_CONFIG`. */
    dockerConfig: join(root, "docker-config"),
    /** First in PATH: `pulumi`, `docker`, the credential helper. */
    bin: join(root, "bin"),
    /** `PULUMI_HOME`. */
    pulumiHome: join(root, "pulumi"),
    plugins: join(root, "pulumi", "plugins"),
    /** File backend of the stacks. */
    state: join(root, "state"),
    /** In it, the state of each stack, as `STACK.json`. */
    stacks: join(root, "state", ".pulumi", "stacks", NAMESPACE),
    /** Copy of the Pulumi project: what `pulumi config set` changes here. */
    project: join(root, "project"),
  };
}
