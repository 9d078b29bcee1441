import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Faults } from "./faults/faults.ts";
import { Requests } from "./faults/requests.ts";
import { sandboxPaths, type SandboxPaths } from "../../lib/paths.ts";
import { type Members, readMembers } from "./policies/members.ts";
import { RegistryStorage } from "./registry/storage.ts";
import { Store } from "./store.ts";

/** The state and services that all APIs share. */
export interface Context {
  sandboxDir: string;
  files: SandboxPaths;
  store: Store;
  /** What the registry stores. */
  storage: RegistryStorage;
  /** Part of each repository's `registryUri`. */
  registryPort: number;
  faults: Faults;
  requests: Requests;
  members: () => Members;
  /** The current time, shifted by the fault `clock-skew`. */
  now: () => Date;
  log: (line: string) => void;
}

export function openContext(sandboxDir: string, registryPort: number): Context {
  const files = sandboxPaths(sandboxDir);
  mkdirSync(dirname(files.emulatorLog), { recursive: true });
  const faults = new Faults(files.faults);
  return {
    sandboxDir,
    files,
    store: new Store(files.emulatorState),
    storage: new RegistryStorage(files.registry),
    registryPort,
    faults,
    requests: new Requests(),
    members: () => readMembers(files.members),
    now: () => new Date(Date.now() + faults.clockSkewSeconds() * 1000),
    log: (line) => {
      appendFileSync(files.emulatorLog, `${new Date().toISOString()} ${line}\n`);
    },
  };
}
