import { join } from "node:path";
import { sandboxPaths } from "../../lib/paths.ts";

/** The files of the emulated APIs, as absolute paths. */
export interface EmulatorFiles {
  /** Ports of the sandbox, written once by the command line. */
  config: string;
  /** RSA private key (PEM, 0600): signs access tokens and the registry's tokens. */
  key: string;
  /** The self-signed certificate that belongs to it: registry TLS and `rootcertbundle`. */
  certificate: string;
  /** Data of the registry. */
  registry: string;
  /** State of all APIs. */
  state: string;
  /** Who belongs to which group and domain; made with a sample when it is missing, meant to be edited. */
  members: string;
  /** Key of the emulated issuer of GitHub Actions (PEM, 0600). */
  githubKey: string;
  /** Faults that are switched on. */
  faults: string;
  /** What could not be answered, and every refused request. */
  log: string;
}

/** The files of the emulated APIs of the sandbox at `sandboxDir`. */
export function emulatorFiles(sandboxDir: string): EmulatorFiles {
  const { config, key, certificate, registry, emulator, logs } = sandboxPaths(sandboxDir);
  return {
    config,
    key,
    certificate,
    registry,
    state: join(emulator, "state.json"),
    members: join(emulator, "members.json"),
    githubKey: join(emulator, "github.key"),
    faults: join(emulator, "faults.json"),
    log: join(logs, "emulator.log"),
  };
}
