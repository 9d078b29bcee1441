import { join } from "node:path";

/** Where the emulated APIs keep their files, all below the sandbox's folder. */
export interface CloudFiles {
  /** Ports of the sandbox, written once by the command line. */
  config: string;
  /** RSA private key (PEM, 0600): signs access tokens and the registry's tokens. */
  key: string;
  /** The self-signed certificate that belongs to it: registry TLS and `rootcertbundle`. */
  certificate: string;
  /** Folder of everything below that the APIs write. */
  folder: string;
  /** State of all APIs. */
  state: string;
  /** Who belongs to which group and domain; made with a sample when it is missing, meant to be edited. */
  members: string;
  /** Faults that are switched on. */
  faults: string;
  /** What could not be answered, and every refused request. */
  log: string;
}

/** The files of the emulated APIs of the sandbox at `sandboxDir`. */
export function cloudFiles(sandboxDir: string): CloudFiles {
  const folder = join(sandboxDir, "cloud");
  return {
    config: join(sandboxDir, "config.json"),
    key: join(sandboxDir, "keys", "token.key"),
    certificate: join(sandboxDir, "keys", "token.crt"),
    folder,
    state: join(folder, "state.json"),
    members: join(folder, "members.json"),
    faults: join(folder, "faults.json"),
    log: join(sandboxDir, "logs", "cloud.log"),
  };
}
