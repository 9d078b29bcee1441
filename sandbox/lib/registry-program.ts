import { SandboxError } from "./errors.ts";
import { findCommands } from "./files.ts";

/** The Debian package of CNCF Distribution. */
export const REGISTRY_PACKAGE = "docker-registry";

export function installedRegistry(): string | undefined {
  return findCommands("docker-registry")[0];
}

/** @throws SandboxError if CNCF Distribution is not installed. */
export function findRegistry(): string {
  const command = installedRegistry();
  if (command) return command;
  throw new SandboxError(
    `docker-registry (CNCF Distribution) is not installed: sudo apt-get install ${REGISTRY_PACKAGE}`,
  );
}
