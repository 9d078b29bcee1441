import { join } from "node:path";
import { sandboxPaths } from "../paths";

/** The files of the emulated APIs, as absolute paths. */
export interface CloudFiles {
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
export function cloudFiles(sandboxDir: string): CloudFiles {
  const { config, key, certificate, registry, cloud, logs } = sandboxPaths(sandboxDir);
  return {
    config,
    key,
    certificate,
    registry,
    state: join(cloud, "state.json"),
    members: join(cloud, "members.json"),
    githubKey: join(cloud, "github.key"),
    faults: join(cloud, "faults.json"),
    log: join(logs, "cloud.log"),
  };
}
